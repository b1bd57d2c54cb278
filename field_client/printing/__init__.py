"""Papers: forms, letters, receipts and lists, as A4 pages and for small thermal printers.

    document.py   what a paper is made of: headings, boxes to fill, tables, places to sign, a code
    papers/*.toml the official forms and village letters, their boxes mapped to answers
    filling.py    a request on such a form; what is not known stays open for the pen
    receipt.py    the citizen's proof; lists.py: recap of the day, call list, what was not collected
    pdf.py        a document as A4 PDF; thermal.py: as dots for a 58 or 80 mm printer
    printers.py   to a printer of this machine, through its standard input

The same document gives the same bytes every time. The font (Bitstream Vera) comes with reportlab
and is embedded, so a page looks alike on every machine.
"""
