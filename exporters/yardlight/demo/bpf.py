"""A TCP listener that loses chosen packets: real silence, decided by source address, without root.

Two listeners share one address (SO_REUSEPORT). The first answers. The accept queue of the second is full, and
Linux drops a SYN for a full queue without a word, which is what a dead circuit looks like. A classic BPF
program (SO_ATTACH_REUSEPORT_CBPF, socket(7)) picks one of the two for each SYN by its source address and,
for a lossy circuit, by chance. A filter that drops packets directly (SO_ATTACH_FILTER) was refused on TCP
sockets without CAP_NET_ADMIN under Linux 6.18; this was not.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterator, Mapping

SO_ATTACH_REUSEPORT_CBPF = 51  # asm-generic/socket.h; the socket module does not name it

# linux/bpf_common.h and linux/filter.h
_LOAD_WORD = 0x20
_JUMP_IF_EQUAL = 0x15
_JUMP_IF_AT_LEAST = 0x35
_RETURN = 0x06
_NETWORK_HEADER = -0x100000
_RANDOM = -0x1000 + 56
_SOURCE_ADDRESS = _NETWORK_HEADER + 12

_ANSWERS, _SILENT = 0, 1
_PLUG = "127.100.255.254"  # the source that fills the silent listener's queue


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value & 0xFFFFFFFF)


def program(losses: Mapping[str, float]) -> bytes:
    """BPF that gives the listener's index for a SYN; `losses` are ratios by source address."""
    code = [_instruction(_LOAD_WORD, 0, 0, _SOURCE_ADDRESS)]
    for source, loss in losses.items():
        address = int.from_bytes(socket.inet_aton(source), "big")
        if loss >= 1:
            code += [_instruction(_JUMP_IF_EQUAL, 0, 1, address), _instruction(_RETURN, 0, 0, _SILENT)]
        elif loss > 0:
            code += [
                _instruction(_JUMP_IF_EQUAL, 0, 4, address),
                _instruction(_LOAD_WORD, 0, 0, _RANDOM),
                _instruction(_JUMP_IF_AT_LEAST, 1, 0, int(loss * 2**32)),
                _instruction(_RETURN, 0, 0, _SILENT),
                _instruction(_RETURN, 0, 0, _ANSWERS),
            ]
    code.append(_instruction(_RETURN, 0, 0, _ANSWERS))
    return b"".join(code)


class LossyListener:
    """Answers TCP connects to one address, except for the share that `lose` names."""

    def __init__(self, host: str, port: int) -> None:
        """Raises `OSError` when the address cannot be had."""
        address = (host, port)
        self.socket = _listen(address, backlog=512)
        self._silent = _listen(address, backlog=0)
        self.lose({_PLUG: 1.0})
        self._plug = socket.create_connection(address, timeout=2.0, source_address=(_PLUG, 0))
        self.lose({})

    def lose(self, losses: Mapping[str, float]) -> None:
        """From now on lose this ratio (1 is all) of what each of these source addresses sends."""
        code = program(losses)
        buffer = ctypes.create_string_buffer(code, len(code))
        fprog = struct.pack("HP", len(code) // 8, ctypes.addressof(buffer))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, fprog)

    def accepted(self) -> Iterator[socket.socket]:
        """Every connection that waits."""
        while True:
            try:
                connection, _ = self.socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            yield connection

    def accept_all(self) -> None:
        """Take and close every waiting connection; a probe needs no more than the handshake."""
        for connection in self.accepted():
            connection.close()

    def close(self) -> None:
        for each in (self._plug, self._silent, self.socket):
            each.close()


def _listen(address: tuple[str, int], backlog: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener
