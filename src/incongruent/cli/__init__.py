"""The command line: parse, call one function, show what it returns.

`commands` has the entry. The commands live in a module for each subject, with their options in
`options`. These modules are light, so that help and a mistyped option are answered at once: what
does the work is imported inside a command, when it is called.
"""
