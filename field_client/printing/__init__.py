"""Papers: forms, letters, receipts and lists, as A4 pages and for small thermal printers.

    papers/*.toml the official forms and village letters, their boxes mapped to answers
    filling.py    a request on such a form; what is not known stays open for the pen
    lists.py      recap of the day, call list, what was not collected
    thermal.py    a document as dots for a 58 or 80 mm printer; joining.py: several PDF files as one
    printers.py   to a printer of this machine, through its standard input

What a document is, and as A4 PDF, stands in `models.printing`, which the office has too.
"""
