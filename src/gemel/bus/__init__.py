"""The bus: the only importer of nats. Frames, streams, and the life of the server.

connect → frame → **bus** → twin → lake. Everything durable passes through here once.
"""

from gemel.bus.frame import Frame, FrameHeader, broken, decode_frame, encode_frame, encode_tick
from gemel.bus.link import Bus, Message
from gemel.bus.reader import StreamReader
from gemel.bus.server import Server, ServerSettings

__all__ = [
    "Bus",
    "Frame",
    "FrameHeader",
    "Message",
    "Server",
    "ServerSettings",
    "StreamReader",
    "broken",
    "decode_frame",
    "encode_frame",
    "encode_tick",
]
