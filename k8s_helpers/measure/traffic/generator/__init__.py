"""The program that sends requests, on this machine or in a pod: the standard library alone, Python 3.9 or newer.

It lives apart so that neither drawing nor the interpreter lock of the notebook delays a request, and imports nothing of
the course: packed into a zip (`bundle.py`), it runs in any image that has `python3`.
"""
