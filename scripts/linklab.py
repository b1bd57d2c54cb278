"""A slow link on this machine: two network namespaces, and between them a process that passes whole
packets on the way a radio or a satellite does. Real TCP runs end to end. Linux, as root.

    with Lab() as lab:
        lab.shape("edge2g", seed=1)
        lab.start("client", [...]); lab.start("server", [...])
        lab.counts()                     what each side put on the link since `shape`

    python3 scripts/linklab.py edge2g 300000     a plain TCP transfer over it, for comparison

A packet waits for its turn (rate) in a queue of limited length (what does not fit is dropped), then
travels (half a round trip), and may be lost at random or in an outage. Sizes are those of the IP
packet: a radio link carries no Ethernet header.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

CLIENT, SERVER = "10.82.72.1", "10.82.72.2"
ETHERNET = 14
MTU_FRAME = 1514

Result = TypeVar("Result")


class Profile(NamedTuple):
    """A link. up, down: bit/s, 0 for no limit. rtt: seconds. loss: share of packets, each way.
    period, outage: of every `period` seconds the last `outage` seconds pass nothing."""

    up: float
    down: float
    rtt: float
    loss: float = 0.0
    period: float = 0.0
    outage: float = 0.0


PROFILES = {
    "direct": Profile(0, 0, 0.0),
    "4g": Profile(10e6, 10e6, 0.060),
    "3g": Profile(1e6, 1e6, 0.200, 0.01),
    "vsat": Profile(512e3, 512e3, 0.650, 0.005),
    "edge2g": Profile(100e3, 150e3, 0.700, 0.02),
    "calm": Profile(100e3, 150e3, 0.700),
    "flaky": Profile(100e3, 150e3, 0.700, 0.02, 20.0, 5.0),
}

QUEUE_PACKETS_MIN = 24
AHEAD = -17
"""Nice value of what is measured."""


class NoLab(SystemExit):
    """There can be no lab here; the text says why."""


# -- the process in the middle


class Way:
    """One direction: what waits for its turn, what is travelling, and what was counted."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source = source
        self.target = target
        self.travelling: deque[tuple[float, bytes | None]] = deque()
        self.reset(Profile(0, 0, 0), 0.0, "")

    def reset(self, profile: Profile, rate: float, seed: str) -> None:
        """Begin anew under another profile."""
        self.profile, self.rate = profile, rate
        self.chance = random.Random(seed)
        self.travelling.clear()
        self.free = 0.0
        self.packets = self.size = self.lost = self.dropped = self.dark = 0
        self.streams: dict[tuple[bytes, bytes], tuple[int, int]] = {}
        queue = max(2 * rate * profile.rtt / 8, QUEUE_PACKETS_MIN * MTU_FRAME)
        self.patience = queue * 8 / rate if rate else 0.0

    def take(self, frame: bytes, now: float, dark: bool) -> None:
        """A packet enters the link."""
        size = len(frame) - ETHERNET
        self.packets += 1
        self.size += size
        self._follow(frame)
        if dark:
            self.dark += 1
            return
        begin = max(now, self.free)
        if self.rate:
            if begin - now > self.patience:
                self.dropped += 1
                return
            self.free = begin + size * 8 / self.rate
            due = self.free + self.profile.rtt / 2
        else:
            due = now + self.profile.rtt / 2
        lost = self.chance.random() < self.profile.loss
        self.lost += lost
        self.travelling.append((due, None if lost else frame))

    def give(self, now: float, dark: bool) -> None:
        """Packets whose time has come leave it."""
        while self.travelling and self.travelling[0][0] <= now:
            frame = self.travelling.popleft()[1]
            if frame is None:
                continue
            if dark:
                self.dark += 1
                continue
            try:
                self.target.send(frame)
            except OSError:
                self.dropped += 1

    def _follow(self, frame: bytes) -> None:
        """How much of each TCP stream was ever sent, however often: needs no help of the ends."""
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return
        ip = 14 + (frame[14] & 15) * 4
        total = int.from_bytes(frame[16:18], "big")
        offset = (frame[ip + 12] >> 4) * 4
        payload = total - (ip - 14) - offset
        number = int.from_bytes(frame[ip + 4 : ip + 8], "big")
        key = (frame[26:34], frame[ip : ip + 4])
        if frame[ip + 13] & 2:  # SYN
            self.streams.setdefault(key, (number + 1, 0))
        elif key in self.streams and payload > 0:
            start, far = self.streams[key]
            end = (number + payload - start) & 0xFFFFFFFF
            self.streams[key] = (start, max(far, end) if end < 1 << 31 else far)

    def counts(self) -> dict[str, int]:
        """Since `reset`. stream: bytes of TCP streams sent at least once."""
        return {
            "bytes": self.size,
            "packets": self.packets,
            "lost": self.lost,
            "dropped": self.dropped,
            "dark": self.dark,
            "stream": sum(far for _, far in self.streams.values()),
            "connections": len(self.streams),
        }


def emulate(names: Sequence[str]) -> None:
    """Pass packets between two interfaces until standard input ends. A line "PROFILE SEED PHASE"
    switches; "counts" asks."""
    ends = []
    for name in names:
        turn_off_offloads(name)
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        end.bind((name, 0))
        end.setblocking(False)
        ends.append(end)
    up, down = Way(ends[0], ends[1]), Way(ends[1], ends[0])
    profile, zero = PROFILES["direct"], time.monotonic()
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        next_due = min((w.travelling[0][0] for w in (up, down) if w.travelling), default=now + 1)
        wait = max(0.0, min(1.0, next_due - now))
        watched: list[Any] = [*ends, 0]
        ready: list[Any] = select.select(watched, [], [], wait)[0]
        now = time.monotonic()
        dark = bool(profile.period) and (
            (now - zero) % profile.period >= profile.period - profile.outage
        )
        for way in (up, down):
            if way.source in ready:
                _drain(way, now, dark)
            way.give(now, dark)
        if 0 in ready:
            words = os.read(0, 1000).decode().split()
            if not words:
                return
            if words[0] == "counts":
                print(json.dumps({"up": up.counts(), "down": down.counts()}), flush=True)
                continue
            profile, zero = PROFILES[words[0]], time.monotonic() - float(words[2])
            up.reset(profile, profile.up, f"{words[1]}/up")
            down.reset(profile, profile.down, f"{words[1]}/down")
            print("ok", flush=True)


def _drain(way: Way, now: float, dark: bool) -> None:
    for _ in range(256):
        try:
            frame, address = way.source.recvfrom(65600)
        except BlockingIOError:
            return
        if address[2] != socket.PACKET_OUTGOING:  # not what we sent ourselves
            way.take(frame, now, dark)


_SIOCETHTOOL = 0x8946
_SWITCHES = (0x15, 0x17, 0x1F, 0x25, 0x2C)
"""ETHTOOL_SRXCSUM, STXCSUM, STSO, SGSO, SGRO."""


def turn_off_offloads(interface: str) -> None:
    """Whole packets of at most one MTU, with real checksums, as on a wire."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        for switch in _SWITCHES:
            value = ctypes.create_string_buffer(struct.pack("II", switch, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            try:
                fcntl.ioctl(door, _SIOCETHTOOL, request)
            except OSError:
                continue  # this kernel has no such switch


# -- the namespaces


class Lab:
    """Client and server namespaces with a link between them."""

    def __init__(self) -> None:
        tag = f"jb{os.getpid() % 100000}"
        self.names = {"client": f"{tag}c", "server": f"{tag}s", "middle": f"{tag}m"}
        self.control = ""
        self._middle: subprocess.Popen[str] | None = None

    def __enter__(self) -> Lab:
        check()
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._middle is not None and self._middle.stdin is not None:
            self._middle.communicate(timeout=10)
        for name in self.names.values():
            _run("ip", "netns", "del", name, check=False)

    def _build(self) -> None:
        client, server, middle = self.names.values()
        for name in (client, server, middle):
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        for name, address, peer in ((client, CLIENT, "left"), (server, SERVER, "right")):
            pair = ["link", "add", "eth0", "netns", name, "type", "veth"]
            _run("ip", *pair, "peer", "name", peer, "netns", middle)
            _run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
            _run("ip", "-n", middle, "link", "set", peer, "up")
            self.control = self.inside(name, _settle)
        self._know_each_other(client, server)
        words = ["ip", "netns", "exec", middle, sys.executable, __file__]
        words += ["emulate", "left", "right"]
        self._middle = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        self._heard("ready")
        before_others(self._middle.pid)

    def _know_each_other(self, client: str, server: str) -> None:
        """Hardware addresses ahead of time, so that no run begins with asking for them."""
        for name, other, address in ((client, server, SERVER), (server, client, CLIENT)):
            hardware = self.inside(other, _hardware)
            words = ["neigh", "replace", address, "lladdr", hardware, "dev", "eth0"]
            _run("ip", "-n", name, *words, "nud", "permanent")

    def shape(self, profile: str, seed: int = 1, phase: float = 0.0) -> None:
        """Another link from now on; counts begin at nothing. phase: seconds into its period."""
        self._tell(f"{profile} {seed} {phase}")
        self._heard("ok")

    def counts(self) -> dict[str, dict[str, int]]:
        """What went into the link each way since `shape`."""
        self._tell("counts")
        found: dict[str, dict[str, int]] = json.loads(self._line())
        return found

    def start(self, side: str, words: Sequence[str], **more: Any) -> subprocess.Popen[Any]:
        """A process on one side."""
        words = ["ip", "netns", "exec", self.names[side], *words]
        return subprocess.Popen(words, start_new_session=True, **more)

    def inside(self, name: str, work: Callable[[], Result]) -> Result:
        """Do something in a thread that has entered a namespace."""
        found: list[Result] = []
        failed: list[BaseException] = []

        def enter() -> None:
            try:
                door = os.open(f"/var/run/netns/{name}", os.O_RDONLY)
                try:
                    if ctypes.CDLL(None, use_errno=True).setns(door, 0x40000000):
                        raise OSError(ctypes.get_errno(), "setns")
                finally:
                    os.close(door)
                found.append(work())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return found[0]

    def _tell(self, line: str) -> None:
        assert self._middle is not None
        assert self._middle.stdin is not None
        self._middle.stdin.write(line + "\n")
        self._middle.stdin.flush()

    def _line(self) -> str:
        assert self._middle is not None
        assert self._middle.stdout is not None
        return self._middle.stdout.readline().strip()

    def _heard(self, wanted: str) -> None:
        line = self._line()
        if line != wanted:
            raise RuntimeError(f"the link said {line!r}, not {wanted!r}")


CONTROLS = ("bbr", "cubic", "reno")
"""The first of them that this kernel lets a namespace use, for all who are measured. The laptop
asks for the first by itself: what it is compared with shall not be worse off."""

_SYSCTL = {
    "ipv4/tcp_no_metrics_save": "1",  # no run learns from the one before it
    "ipv6/conf/all/disable_ipv6": "1",  # no chatter on the link
}


def _settle() -> str:
    """Settings of a namespace, from inside it. Gives TCP's congestion control."""
    for name, value in _SYSCTL.items():
        _write(name, value)
    turn_off_offloads("eth0")
    for control in CONTROLS:
        if _write("ipv4/tcp_congestion_control", control):
            return control
    raise NoLab(f"this kernel allows none of {CONTROLS} for TCP")


def _write(name: str, value: str) -> bool:
    try:
        Path(f"/proc/sys/net/{name}").write_text(value)
    except OSError:
        return False
    return True


def _hardware() -> str:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as door:
        door.bind(("eth0", 0))
        return ":".join(f"{byte:02x}" for byte in door.getsockname()[4])


def before_others(pid: int) -> None:
    """Give a process, the first of its session, more of the processor than ordinary ones have: a
    link is measured, not whoever else computes on this machine meanwhile. Where that is not allowed
    it is as it is. Linux shares time out by session first (sched(7), autogroup)."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, AHEAD)
        Path(f"/proc/{pid}/autogroup").write_text(str(AHEAD))


def _run(*words: str, check: bool = True) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise NoLab(f"{' '.join(words)}: {done.stderr.strip()}")


def missing() -> str:
    """Why there can be no lab here; empty where there can."""
    if not sys.platform.startswith("linux"):
        return "shaped links need Linux: network namespaces exist nowhere else"
    if os.geteuid() != 0:
        return "shaped links need root: they make network namespaces (try sudo)"
    if shutil.which("ip") is None:
        return "the command `ip` is missing (on Debian: apt-get install iproute2)"
    return ""


def check() -> None:
    """Say in words why there can be no lab here."""
    why = missing()
    if why:
        raise NoLab(why)


# -- a plain transfer


def plain(profile: str, size: int, seed: int = 1) -> dict[str, Any]:
    """What TCP alone makes of a link: seconds from connect until so many bytes were received."""
    with Lab() as lab:
        server, client = lab.names["server"], lab.names["client"]
        door = lab.inside(server, lambda: socket.create_server((SERVER, 9000)))
        lab.shape(profile, seed)
        began = time.monotonic()
        line = lab.inside(client, lambda: socket.create_connection((SERVER, 9000), 60))
        near, _ = door.accept()
        threading.Thread(target=line.sendall, args=(bytes(size),), daemon=True).start()
        left = size
        while left:
            left -= len(near.recv(65536))
        seconds = time.monotonic() - began
        counts = lab.counts()
        for one in (line, near, door):
            one.close()
    return {
        "profile": profile,
        "tcp": lab.control,
        "bytes": size,
        "seconds": round(seconds, 2),
        "kbit_s": round(size * 8 / seconds / 1000, 1),
        **counts,
    }


def main() -> int:
    """The process in the middle, or a plain transfer."""
    if sys.argv[1:2] == ["emulate"]:
        emulate(sys.argv[2:4])
    elif len(sys.argv) == 3 and sys.argv[1] in PROFILES:
        print(json.dumps(plain(sys.argv[1], int(sys.argv[2]))))
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
