"""Files made here, so that what went in is known: a photograph that carries a place, and a voice message."""
import io
import math
import struct
import wave

from PIL import Image

GPS_IFD = 0x8825
GPS_LATITUDE = {1: "N", 2: (31.0, 14.0, 3.9), 3: "E", 4: (121.0, 28.0, 9.1)}
MAKER = "PROTOCOL-TEST-CAMERA"


def photo(width=640, height=480):
    """A JPEG with camera and GPS position in its EXIF."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    exif = picture.getexif()
    exif[0x010F] = MAKER
    exif.get_ifd(GPS_IFD).update(GPS_LATITUDE)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85, exif=exif)
    return out.getvalue()


def place_in(content):
    """The GPS data a picture carries."""
    return dict(Image.open(io.BytesIO(content)).getexif().get_ifd(GPS_IFD))


def size_of(content):
    return Image.open(io.BytesIO(content)).size


def voice(seconds=2, rate=16_000):
    """A WAV of one tone."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = (int(9_000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(seconds * rate))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()
