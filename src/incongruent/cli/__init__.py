"""The command line: parse, call one function, show what it returns.

`commands` has the entry; the other commands live in a module for each subject and share `parts` and
`reading`.
"""
