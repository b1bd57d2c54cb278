"""Faults of the simulated world, each with the chance it has at the step where it can happen.

A swarm of worlds is not played with one mix: the seed draws which faults are frequent, usual or
absent in its world, so that rare meetings of two faults are not drowned by the common ones.
"""

from __future__ import annotations

from random import Random

FAULTS: dict[str, float] = {
    # messages
    "drop_request": 0.08,
    "drop_reply": 0.08,
    "duplicate": 0.06,
    "reorder": 0.06,
    "stale_reply": 0.05,
    "foreign_reply": 0.03,
    "truncate_request": 0.04,
    "truncate_reply": 0.04,
    "corrupt_request": 0.04,
    "corrupt_reply": 0.04,
    "forged_order": 0.05,
    "one_frame": 0.05,
    "slow_link": 0.05,
    "dictionary_missing": 0.03,
    # processes and disks
    "crash_before_commit": 0.03,
    "crash_after_commit": 0.03,
    "crash_in_attempt": 0.02,
    "crash_in_file": 0.05,
    "disk_full": 0.02,
    "laptop_crash": 0.06,
    "laptop_crash_saving": 0.02,
    # clocks and people
    "clock_jump": 0.06,
    "stale_save": 0.25,
    "follow_up": 0.15,
    "stale_decision": 0.20,
    "same_person": 0.10,
    "same_citizen": 0.10,
    "moves_away": 0.10,
    "code_again": 0.03,
    # entries that are no good
    "poison_unknown": 0.02,
    "poison_malformed": 0.02,
    "poison_killer": 0.01,
    "killer_waits": 0.02,
    "future_edition": 0.01,
    # files
    "file_piece_lost": 0.10,
    "file_piece_damaged": 0.10,
    "file_piece_twice": 0.05,
    # sticks
    "stick_lost": 0.05,
    "stick_late": 0.25,
    "stick_twice": 0.10,
    "volume_missing": 0.05,
    "volume_flipped": 0.05,
    "volume_cut": 0.05,
    "stick_foreign": 0.05,
    "stick_relayed": 0.20,
    # laptops, villages, central
    "clone": 0.03,
    "disk_image": 0.03,
    "database_image": 0.03,
    "rotate": 0.03,
    "hole": 0.10,
    "lost": 0.03,
    "suspended": 0.03,
    "resumed": 0.30,
    "scope_changed": 0.10,
    "village_lent": 0.08,
    "backup": 0.50,
    "restore": 0.04,
    "old_restore": 0.02,
    "silent_restore": 0.05,
}
"""Chance of each fault at the step where it can happen."""

NOTED = ("pull_behind_screen", "refused_decision", "fork", "return_again", "return_gap",
         "torn_write", "lost_write", "unanswered_write")  # fmt: skip
"""What comes of other faults, often enough for every slice of worlds."""


def drawn(seed: int) -> dict[str, float]:
    """The mix of one world: of its faults a fifth is absent, a fifth three times as frequent."""
    rng = Random(f"mix-{seed}")
    mix: dict[str, float] = {}
    for name, chance in FAULTS.items():
        roll = rng.random()
        factor = 0.0 if roll < 0.2 else 3.0 if roll > 0.8 else 1.0
        mix[name] = min(0.6, chance * factor)
    return mix
