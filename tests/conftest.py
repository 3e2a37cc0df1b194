"""Puts this folder on the path, so that tests can import `model`, and bounds the property tests.

`pytest --hypothesis-profile=thorough` looks for as many examples as a patient engineer would.
"""

import signal

from hypothesis import settings

settings.register_profile("quick", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=5000, deadline=None)
settings.load_profile("quick")

# A shell's background jobs ignore interrupts, and their children with them: tests send some.
signal.signal(signal.SIGINT, signal.default_int_handler)
