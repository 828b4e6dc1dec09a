// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// packets are in hexadecimal: an IP header, that of the protocol, and what they carry.
var packets = []struct{ packet, want string }{
	{ipv4 + ports + "6869", "udp 127.0.0.1:4711 > 127.0.0.1:4711, 2 bytes"},
	{ipv4 + ports + "6869" + "0000", "udp 127.0.0.1:4711 > 127.0.0.1:4711, 2 bytes"}, // padded
	{"4500001e00010001401100007f0000017f000001" + ports + "6869", "fragment 127.0.0.1 > 127.0.0.1, 10 bytes"},
	{"4500001d00010000400100007f0000017f000001" + "0800000000000000" + "61", "protocol 1 127.0.0.1 > 127.0.0.1, 9 bytes"},
	{
		"450000290001000040060000c0a80001c0a80002" + "005004d2000000000000000050180000" + "00000000" + "61",
		"tcp 192.168.0.1:80 > 192.168.0.2:1234, 1 bytes",
	},
	{"460000180001000040110000" + "7f0000017f000001" + "00000000", "protocol 17 127.0.0.1 > 127.0.0.1, 0 bytes"}, // options, and no more
	{
		"6000000000081140" + "00000000000000000000000000000001" + "00000000000000000000000000000001" + "0035003600080000",
		"udp [::1]:53 > [::1]:54, 0 bytes",
	},
	{ipv4, "malformed IP, 20 bytes"},                                       // cut off
	{"4100001400014000401100007f0000017f000001", "malformed IP, 20 bytes"}, // a header of 4 bytes
	{"00010800060400", "not IP, 7 bytes"},                                  // ARP
	{"", "not IP, 0 bytes"},
}

const (
	ipv4  = "4500001e00014000401100007f0000017f000001" // of a datagram of 30 bytes
	ports = "12671267000a0000"                         // both 4711
)

func TestDescribe(t *testing.T) {
	for _, p := range packets {
		data, err := hex.DecodeString(p.packet)
		require.NoError(t, err)
		require.Equal(t, p.want, describe(data), p.packet)
	}
}

// A packet comes from anybody.
func FuzzDescribe(f *testing.F) {
	for _, p := range packets {
		data, err := hex.DecodeString(p.packet)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, packet []byte) { require.Contains(t, describe(packet), " bytes") })
}
