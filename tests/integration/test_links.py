"""Shaped links: they shape, and the bench over them gives the figures it promises."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import bench
import bench_links
import linklab
from linklab import ETHERNET, PROFILES, NoLab, Profile, Way

PROMISED = ("bytes_ratio", "time_ratio", "first_s", "resent_ratio", "duplicates", "round_trips")


class Socket:
    """The other side of the link, for a `Way` alone."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)


def way(profile: Profile, seed: str = "1") -> tuple[Way, Socket]:
    far = Socket()
    made = Way(Socket(), far)  # type: ignore[arg-type]
    made.reset(profile, profile.up, seed)
    return made, far


PACKET = bytes(ETHERNET + 1000)


def test_a_packet_waits_its_turn_and_then_travels():
    link, far = way(Profile(80_000, 80_000, 0.5))
    for _ in range(3):
        link.take(PACKET, 10.0, dark=False)
    arrived: list[Any] = []
    for step in range(100):
        at = 10.0 + step / 100
        link.give(at, dark=False)
        while len(arrived) < len(far.sent):
            arrived.append(at)
    assert arrived == pytest.approx([10.35, 10.45, 10.55], abs=0.011)


def test_a_full_queue_drops_an_outage_loses_and_chance_is_the_seeds():
    link, _ = way(Profile(80_000, 80_000, 0.5))
    for _ in range(100):
        link.take(PACKET, 0.0, dark=False)
    assert 0 < link.counts()["dropped"] < 100
    link, far = way(Profile(0, 0, 0.0))
    link.take(PACKET, 0.0, dark=True)
    link.give(1.0, dark=False)
    assert (far.sent, link.counts()["dark"]) == ([], 1)
    lost = []
    for seed in ("1", "1", "2"):
        link, far = way(Profile(0, 0, 0.0, loss=0.3), seed)
        for _ in range(50):
            link.take(PACKET, 0.0, dark=False)
        link.give(1.0, dark=False)
        lost.append(len(far.sent))
    assert lost[0] == lost[1] != lost[2]
    assert 20 < lost[0] < 50


def segment(number: int, size: int, flags: int = 0x10, port: int = 9) -> bytes:
    """An Ethernet frame with a TCP segment."""
    tcp = port.to_bytes(2, "big") * 2 + number.to_bytes(4, "big") + bytes(4)
    tcp += bytes((0x50, flags)) + bytes(6) + bytes(size)
    ip = b"\x45\0" + (20 + len(tcp)).to_bytes(2, "big") + bytes(5) + b"\x06" + bytes(2)
    return bytes(12) + b"\x08\0" + ip + bytes((10, 0, 0, 1, 10, 0, 0, 2)) + tcp


def test_what_tcp_sends_again_is_not_counted_as_more():
    link, _ = way(Profile(0, 0, 0.0))
    start = 0xFFFFFF00  # the number wraps on the way
    link.take(segment(start, 0, flags=0x02), 0.0, dark=False)
    for offset in (1, 501, 1, 501, 1001):
        link.take(segment((start + offset) & 0xFFFFFFFF, 500), 0.0, dark=False)
    counts = link.counts()
    assert (counts["stream"], counts["connections"], counts["packets"]) == (1500, 1, 6)
    assert counts["bytes"] == 6 * 40 + 5 * 500
    link.take(segment(77, 0, flags=0x02, port=10), 0.0, dark=False)
    link.take(segment(78, 100, port=10), 0.0, dark=False)
    assert link.counts()["stream"] == 1600


def test_a_sync_over_a_real_link_is_measured_or_it_is_said_why_not(monkeypatch):
    case = bench_links.Case("4g", "requests_8", 1, rest=2)
    monkeypatch.setitem(bench_links.CASES, "tiny", case)
    if linklab.missing():
        with pytest.raises(NoLab, match=r"shaped links need|iproute2"):
            bench_links.run("tiny")
        return
    found = bench_links.run("tiny")["tiny"]
    assert all(name in found for name in PROMISED), found
    assert (found["round_trips"], found["duplicates"]) == (1, 0)
    rtt = PROFILES["4g"].rtt
    assert 1.5 * rtt <= found["first_s"] <= found["seconds"][2]
    assert found["bound_s"][1] >= 1.5 * rtt
    assert found["bytes_up"][1] > 1000
    assert found["rest_s"] >= 8 * rtt, "one round trip a record at least"
    assert found["rest_time_ratio"] > 0


def test_elsewhere_it_is_said_what_is_missing(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert "Linux" in linklab.missing()
    with pytest.raises(NoLab):
        bench_links.run("edge2g_200")


def test_the_bars_of_the_links_are_named():
    figures = {"edge2g_200": {"bytes_ratio": 1.2, "time_ratio": 1.0, "first_s": 1.2}}
    assert bench.misses(figures) == ["edge2g_200.bytes_ratio"]
