"""People and their laptops: ages, roles and what each may do, offices, devices, four eyes."""

from datetime import date


def age(born: date, today: date) -> int:
    """Full years on that day; below 0 before birth. 29 February counts on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def birthday(born: date, years: int) -> date:
    """The day that many full years are reached."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:  # 29 February in a common year
        return date(born.year + years, 3, 1)
