"""Organisations, as pages, the API and the command line run them: founding one, its people, what they write,
and what the operators may do about it.

Each function takes the person who acts and asks for the right to the very organisation before anything else.
"""
