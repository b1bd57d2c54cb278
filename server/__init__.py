"""The central house: the civil registry office, where everything arrives and people decide."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("jemput-bola")
except PackageNotFoundError:  # run from a bare checkout
    VERSION = "0"
