// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// everything is ETH_P_ALL in network byte order, on any machine.
var everything = binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))

// receive waits for a packet, and tells which way it goes, packet(7).
func receive(socket syscall.Conn, packet []byte) (n int, way string, err error) {
	conn, err := socket.SyscallConn()
	if err != nil {
		return 0, "", err
	}
	var from unix.Sockaddr
	var failed error
	if err := conn.Read(func(fd uintptr) bool {
		n, from, failed = unix.Recvfrom(int(fd), packet, 0)
		return failed != unix.EAGAIN
	}); err != nil {
		return 0, "", err
	}
	if failed != nil { // ENETDOWN, if the interface goes down
		return 0, "", failed
	}
	way = "in "
	if link, ok := from.(*unix.SockaddrLinklayer); ok && link.Pkttype == unix.PACKET_OUTGOING {
		way = "out"
	}
	return n, way, nil
}

// describe says what it can read in an IP packet: the protocol, who sends it to whom, and how many bytes it carries.
func describe(packet []byte) string {
	var header, length int
	var protocol byte
	var from, to netip.Addr
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4: // RFC 791
		header, length, protocol = 4*int(packet[0]&0xf), int(binary.BigEndian.Uint16(packet[2:])), packet[9]
		from, to = netip.AddrFrom4([4]byte(packet[12:])), netip.AddrFrom4([4]byte(packet[16:]))
	case len(packet) >= 40 && packet[0]>>4 == 6: // RFC 8200
		header, length, protocol = 40, 40+int(binary.BigEndian.Uint16(packet[4:])), packet[6]
		from, to = netip.AddrFrom16([16]byte(packet[8:])), netip.AddrFrom16([16]byte(packet[24:]))
	default:
		return fmt.Sprintf("not IP, %d bytes", len(packet))
	}
	if header < 20 || length < header || length > len(packet) {
		return fmt.Sprintf("malformed IP, %d bytes", len(packet))
	}
	payload := packet[header:length]
	name, head := "", 0
	switch {
	case from.Is4() && binary.BigEndian.Uint16(packet[6:])&0x1fff != 0:
		return fmt.Sprintf("fragment %v > %v, %d bytes", from, to, len(payload)) // the ports are in the first one
	case protocol == unix.IPPROTO_UDP && len(payload) >= 8:
		name, head = "udp", 8
	case protocol == unix.IPPROTO_TCP && len(payload) >= 20:
		name, head = "tcp", min(4*int(payload[12]>>4), len(payload))
	default:
		return fmt.Sprintf("protocol %d %v > %v, %d bytes", protocol, from, to, len(payload))
	}
	source, destination := binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:])
	return fmt.Sprintf("%s %v > %v, %d bytes", name,
		netip.AddrPortFrom(from, source), netip.AddrPortFrom(to, destination), len(payload)-head)
}
