"""For the teacher: copies of the course for students, what they hand in, the class's table, and marks.

`copies` makes and signs a copy; `hand_ins` reads a page; `class_report` believes pages, `grader` tries answers.
"""
