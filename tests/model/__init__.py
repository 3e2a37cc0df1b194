"""A second, slow simulator of the machine, written from the rules of virtual time alone.

It shares no code with the engine: where both agree bit for bit, a fault has to be made twice.
"""
