// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// keeperFile returns the keeper as a sealed file in memory. Nobody may read the file: so a process
// that the kernel runs from it cannot be traced from a user namespace that has no power over the
// file, ptrace(2), prctl(2) PR_SET_DUMPABLE.
func keeperFile() (*os.File, error) {
	const name = "airlock-keeper"
	flags := unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_EXEC)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, flags) // before Linux 6.3
	}
	if err != nil {
		return nil, fmt.Errorf("memfd_create (see vm.memfd_noexec in sysctl): %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	_, err = f.Write(elf())
	if err == nil {
		err = f.Chmod(0o111)
	}
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS,
			unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("write keeper: %w", err)
	}
	return f, nil
}

// elf wraps the machine code in the least that execve(2) accepts, elf(5): the file header, one
// program header, the code.
func elf() []byte {
	const (
		header, program = 64, 56
		base            = 0x10000
		readExecute     = 5
	)
	size := uint64(header + program + len(code))
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, struct {
		Ident                      [16]byte
		Type, Machine              uint16
		Version                    uint32
		Entry, Phoff, Shoff        uint64
		Flags                      uint32
		Ehsize, Phentsize, Phnum   uint16
		Shentsize, Shnum, Shstrndx uint16
		PType, PFlags              uint32
		Offset, Vaddr, Paddr       uint64
		Filesz, Memsz, Align       uint64
	}{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: 2, Machine: machine, Version: 1,
		Entry: base + header + program, Phoff: header, Ehsize: header, Phentsize: program, Phnum: 1,
		PType: 1, PFlags: readExecute, Vaddr: base, Paddr: base, Filesz: size, Memsz: size, Align: base,
	})
	b.Write(code)
	return b.Bytes()
}
