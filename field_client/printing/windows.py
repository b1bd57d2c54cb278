"""The print spooler of Windows, for dots only. Written from the manual, not tried."""

from __future__ import annotations

import sys

from models.problems import Problem

if sys.platform == "win32":  # pragma: no cover - not tried
    import ctypes
    from ctypes import wintypes

    class _DocInfo(ctypes.Structure):
        _fields_ = (
            ("name", wintypes.LPWSTR),
            ("file", wintypes.LPWSTR),
            ("kind", wintypes.LPWSTR),
        )

    def names() -> list[str]:
        """The usual printer, if one is set up."""
        spool = ctypes.WinDLL("winspool.drv")
        length = wintypes.DWORD(256)
        name = ctypes.create_unicode_buffer(256)
        return [name.value] if spool.GetDefaultPrinterW(name, ctypes.byref(length)) else []

    def send_raw(printer: str, data: bytes, title: str) -> None:
        """Hand bytes to a printer as they are. Problem print.failed."""
        spool = ctypes.WinDLL("winspool.drv")
        handle = wintypes.HANDLE()
        if not spool.OpenPrinterW(printer, ctypes.byref(handle), None):
            raise Problem("print.failed", name=printer, why="OpenPrinter")
        try:
            info = _DocInfo(title, None, "RAW")
            if not spool.StartDocPrinterW(handle, 1, ctypes.byref(info)):
                raise Problem("print.failed", name=printer, why="StartDocPrinter")
            written = wintypes.DWORD()
            spool.WritePrinter(handle, data, len(data), ctypes.byref(written))
            spool.EndDocPrinter(handle)
            if written.value != len(data):
                raise Problem("print.failed", name=printer, why="WritePrinter")
        finally:
            spool.ClosePrinter(handle)

else:

    def names() -> list[str]:
        """No Windows, no such printers."""
        return []

    def send_raw(printer: str, data: bytes, title: str) -> None:
        """No Windows, no such printers."""
        raise Problem("print.failed", name=printer, why=f"{title[:0]}{len(data)}")
