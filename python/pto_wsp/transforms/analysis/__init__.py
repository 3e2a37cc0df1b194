"""Pure functions over the IR that return dataclasses; passes compute with them, then apply."""
