"""Pages: what the pages of both houses draw alike.

drawing.py    templates and built files of a house's package
forms.py, uploads.py, headers.py   what a browser sends, and what it is told
together.py   the forms that are filled in together for one citizen or family
topics.py     their pages, one a block of a form, and how far each is
fields.py     one question as it is drawn, and what a browser sends back for it
answers.py    question and answer as people read them
templates/    `parts/fields.html`, the drawing of every kind of question
"""
