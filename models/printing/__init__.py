"""Printing: what a paper is made of and how it is drawn, the same in both houses.

    document.py   headings, boxes to fill, tables, places to sign, a code
    receipt.py    the citizen's proof
    flow.py, pieces.py, fonts.py, signs.py   from blocks to what reportlab lays out
    pdf.py        a document as A4 PDF

The same document gives the same bytes every time. The font (Bitstream Vera) comes with reportlab
and is embedded, so a page looks alike on every machine.
"""
