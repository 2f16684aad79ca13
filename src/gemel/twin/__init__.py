"""What happened: the record of facts, state as a fold, the life cycles of alarms and commands.

The life cycles and the chain are pure state machines: events in, instructions out; no clock, no I/O.
"""
