"""Pictures: from a photographed or scanned paper to a small legible copy, the same in both houses.

Here alone the imaging libraries are imported. Whoever takes a picture in imports these modules in
the function that needs them: a house that shows pages only is not made to load a decoder.
"""
