"""Loads a target in fresh processes, as servers do, and tells what came of it.

`launcher` and `process` start and await the processes; all else here runs in them. Nothing is
imported here: a fresh process needs only its own half.
"""
