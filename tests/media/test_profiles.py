"""Colour profiles are converted to sRGB, and what stands beside the pixels never keeps a picture from being read."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from aigen.errors import PictureError
from aigen.media import bare, uploads

# Of a picture in the colours of newer phones (Display P3), and what these are in sRGB.
RED, IN_SRGB = (201, 60, 40), (220, 37, 12)


def primaries(red: tuple[float, float], green: tuple[float, float], blue: tuple[float, float]) -> bytes:
    """Return a profile with these primaries, white as of sRGB and a gamma of 2.2."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    columns = _columns(red, green, blue)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"Test\0" + bytes(78 + 1)
    entries = {b"desc": text, b"wtpt": xyz((0.9642, 1.0, 0.8249)), b"rXYZ": xyz(columns[0]), b"gXYZ": xyz(columns[1])}
    entries |= {b"bXYZ": xyz(columns[2]), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    return _profile(b"RGB ", entries)


def grey(gamma: float) -> bytes:
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in (0.9642, 1.0, 0.8249))
    return _profile(b"GRAY", {b"wtpt": white, b"kTRC": curve})


def _profile(space: bytes, entries: dict[bytes, bytes]) -> bytes:
    table, body, at = b"", b"", 132 + 12 * len(entries)
    for name, content in entries.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = bytes(8) + b"\x02\x10\0\0" + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    head += b"".join(struct.pack(">i", round(value * 65536)) for value in (0.9642, 1.0, 0.8249))
    data = head.ljust(128, b"\0") + struct.pack(">I", len(entries)) + table + body
    return struct.pack(">I", len(data)) + data[4:]


def _columns(*chromaticities: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Return the primaries as columns of XYZ that add up to the white of profiles (D50)."""
    import numpy

    matrix = numpy.array([[x / y, 1.0, (1 - x - y) / y] for x, y in chromaticities]).T
    white = numpy.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
    scaled = matrix * numpy.linalg.solve(matrix, white)
    bradford = numpy.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    ratio = (bradford @ numpy.array([0.9642, 1.0, 0.8249])) / (bradford @ white)
    adapted = numpy.linalg.inv(bradford) @ numpy.diag(ratio) @ bradford @ scaled
    return [tuple(map(float, adapted[:, place])) for place in range(3)]  # type: ignore[misc]


P3 = primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))


def near(found: object, wanted: tuple[int, int, int], by: int = 4) -> bool:
    assert isinstance(found, tuple)
    return all(abs(each - value) <= by for each, value in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [("png", "RGB"), ("png", "RGBA"), ("png", "P"), ("webp", "RGB"), ("webp", "RGBA"), ("jpg", "RGB")],
)
def test_wide_colours_become_srgb(tmp_path: Path, suffix: str, mode: str) -> None:
    image = Image.new("RGB", (64, 48), RED)
    image = image.quantize() if mode == "P" else image.convert(mode)
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {"lossless": True}
    image.save(path := tmp_path / f"a.{suffix}", icc_profile=P3, **options)
    assert near(uploads.read(path).getpixel((20, 20)), IN_SRGB)
    assert near(uploads.glance(path, 32)[0].getpixel((10, 10)), IN_SRGB)


def test_what_is_transparent_stays_so(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 48), (*RED, 0))
    image.paste((*RED, 255), (32, 0, 64, 48))
    image.save(path := tmp_path / "a.png", icc_profile=P3)
    found = uploads.read(path)
    assert found.getpixel((5, 5)) == (255, 255, 255)
    assert near(found.getpixel((50, 5)), IN_SRGB)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_of_another_gamma_becomes_that_of_srgb(tmp_path: Path, mode: str) -> None:
    value: int | tuple[int, int] = {"L": 64, "LA": (64, 255), "I;16": 64 * 257}[mode]  # type: ignore[assignment]
    Image.new(mode, (64, 48), value).save(path := tmp_path / "a.png", icc_profile=grey(1.0))
    (shade, *_) = uploads.read(path).getpixel((5, 5))  # type: ignore[misc]
    assert 133 <= shade <= 141, "a quarter of the light of white"


def test_a_profile_of_srgb_changes_nothing(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.effect_noise((64, 48), 90).convert("RGB").save(path := tmp_path / "a.png", icc_profile=srgb)
    with Image.open(path) as image:
        assert uploads.read(path).tobytes() == image.tobytes()


@pytest.mark.parametrize("profile", [b"no profile at all" * 20, P3[:200], P3[:100], bytes(5000), grey(2.2)])
@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
def test_a_profile_that_is_broken_or_does_not_fit_is_ignored(tmp_path: Path, suffix: str, profile: bytes) -> None:
    Image.new("RGB", (64, 48), RED).save(path := tmp_path / f"a.{suffix}", icc_profile=profile, quality=100)
    assert near(uploads.read(path).getpixel((20, 20)), RED)


def chunk(name: bytes, data: bytes, wrong: bool = False) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ wrong)


def png(*chunks: bytes) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), RED).save(data, "PNG")
    at = data.getvalue().index(b"IDAT") - 4
    return data.getvalue()[:at] + b"".join(chunks) + data.getvalue()[at:]


def jpeg(*segments: bytes) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), RED).save(data, "JPEG", quality=100)
    body = b"".join(each[:2] + struct.pack(">H", len(each)) + each[2:] for each in segments)
    return data.getvalue()[:2] + body + data.getvalue()[2:]


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), RED).save(data, "WEBP", lossless=True)
    flags = b"VP8X" + struct.pack("<I", 10) + b"\x2c\0\0\0" + bytes([63, 0, 0, 47, 0, 0])
    more = b"".join(name + struct.pack("<I", len(text)) + text + bytes(len(text) % 2) for name, text in chunks)
    body = b"WEBP" + flags + data.getvalue()[12:] + more
    return b"RIFF" + struct.pack("<I", len(body)) + body


HUGE = zlib.compress(bytes(30_000_000))
BROKEN_EXIF = b"II*\0" + struct.pack("<IH", 8, 9) + struct.pack("<HHII", 0x010E, 2, 4_000_000_000, 7) * 2
BESIDE = {
    "a huge text": png(chunk(b"zTXt", b"workflow\0\0" + HUGE)),
    "a huge profile": png(chunk(b"iCCP", b"ICC\0\0" + HUGE)),
    "a broken profile": png(chunk(b"iCCP", b"ICC\0\0" + b"not packed")),
    "a huge international text": png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + HUGE)),
    "texts with wrong checksums": png(chunk(b"tEXt", b"a\0b", wrong=True), chunk(b"eXIf", b"II", wrong=True)),
    "a text that is no text": png(chunk(b"iTXt", b"\xff\xfe"), chunk(b"zTXt", b""), chunk(b"tEXt", b"")),
    "broken Exif data in a PNG": png(chunk(b"eXIf", BROKEN_EXIF)),
    "odd sizes of pixels": png(chunk(b"pHYs", b"\0"), chunk(b"gAMA", b""), chunk(b"cHRM", b"\0" * 3)),
    "broken Exif data": jpeg(b"\xff\xe1Exif\0\0" + BROKEN_EXIF),
    "Exif data that is cut": jpeg(b"\xff\xe1Exif\0\0II*\0\x08"),
    "Exif data that leads nowhere": jpeg(b"\xff\xe1Exif\0\0MM\0*\xff\xff\xff\xff"),
    "a broken preview": jpeg(b"\xff\xe2MPF\0II*\0\xff\xff\xff\xff"),
    "a part of a profile": jpeg(b"\xff\xe2ICC_PROFILE\0\x02\x09" + P3[:300]),
    "broken data of Photoshop": jpeg(b"\xff\xedPhotoshop 3.0\0008BIM\x04\x04\xff"),
    "large comments": jpeg(*[b"\xff\xfe" + b"x" * 60_000] * 30),
    "broken Exif data in a WebP": webp((b"EXIF", BROKEN_EXIF), (b"XMP ", b"\xff" * 999), (b"ICCP", b"\0" * 200)),
}


@pytest.mark.parametrize("name", BESIDE)
def test_metadata_never_condemns_pixels(tmp_path: Path, name: str) -> None:
    (path := tmp_path / "a").write_bytes(BESIDE[name])
    assert near(uploads.read(path).getpixel((20, 20)), RED)


def test_a_picture_is_turned_as_older_and_other_programs_say(tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    old = b"Raw profile type exif\0\0" + zlib.compress(f"\nexif\n{len(exif):8}\n{exif.hex()}\n".encode())
    xmp = b'XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta><a tiff:Orientation="6"/></x:xmpmeta>'
    segment = b"\xff\xe1http://ns.adobe.com/xap/1.0/\0<tiff:Orientation>6</tiff:Orientation>"
    for data in (png(chunk(b"zTXt", old)), png(chunk(b"iTXt", xmp)), jpeg(segment)):
        (path := tmp_path / "a").write_bytes(data)
        assert uploads.read(path).size == (48, 64)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_without_its_end_is_read_where_all_of_it_is_there(
    tmp_path: Path, mode: str, options: dict[str, object]
) -> None:
    data = io.BytesIO()
    Image.effect_noise((157, 99), 90).convert(mode).save(data, "JPEG", **options)
    whole = data.getvalue()
    (path := tmp_path / "a.jpg").write_bytes(whole)
    wanted = uploads.read(path).tobytes()
    for end in (-2, -1):
        path.write_bytes(whole[:end])
        assert uploads.read(path).tobytes() == wanted
        uploads.glance(path, 50)
    for end in (-6, -40, -len(whole) // 2):
        path.write_bytes(whole[:end])
        with pytest.raises(PictureError, match=r"^picture 'a.jpg' is damaged: give another copy$"):
            uploads.read(path)


def test_a_png_without_its_end_is_read_where_all_of_it_is_there(tmp_path: Path) -> None:
    whole = png()
    for end in (-12, -4):
        (path := tmp_path / "a.png").write_bytes(whole[:end])
        assert near(uploads.read(path).getpixel((20, 20)), RED)
    path.write_bytes(whole[: whole.index(b"IDAT") + 20])
    with pytest.raises(PictureError, match="is damaged"):
        uploads.read(path)


@pytest.mark.parametrize("transparency", [0, 65535, 12345])
def test_sixteen_bit_grey_is_scaled_with_and_without_transparency(tmp_path: Path, transparency: int) -> None:
    image = Image.new("I;16", (32, 32), 32768)
    image.putpixel((3, 3), transparency)
    image.save(path := tmp_path / "a.png", transparency=transparency)
    found = uploads.read(path)
    assert found.getpixel((10, 10)) == (128, 128, 128)
    assert found.getpixel((3, 3)) == (255, 255, 255)


def test_sixteen_bit_colours_with_transparency_are_read(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 0x8000, 0x4000, 0xC000) * 20 for _ in range(20))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0))
    clear = chunk(b"tRNS", struct.pack(">3H", 0xFFFF, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + clear + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (path := tmp_path / "a.png").write_bytes(data)
    assert near(uploads.read(path).getpixel((5, 5)), (128, 64, 192), by=1)


def test_a_photo_of_a_phone_of_50_megapixels_may_be_used(tmp_path: Path) -> None:
    assert uploads.PIXELS_LIMIT >= 8160 * 6144


@pytest.mark.parametrize(("brand", "name"), [(b"heic", "HEIC"), (b"mif1", "HEIC"), (b"avif", "AVIF")])
def test_the_formats_of_phones_are_named_where_nothing_reads_them(
    tmp_path: Path, brand: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    (path := tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(400))
    with pytest.raises(PictureError, match=rf"is a {name} file: save it as JPEG, or install .* 'aigen\[heif\]'$"):
        uploads.read(path)


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_the_formats_of_phones_are_read_with_the_extra(tmp_path: Path, suffix: str) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (64, 48), RED).save(path, quality=95, icc_profile=P3)
    found = uploads.read(path)
    assert (found.size, near(found.getpixel((20, 20)), IN_SRGB, by=8)) == ((64, 48), True)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PictureError, match=r"is damaged|cannot be read"):
        uploads.read(path)


def test_other_files_are_left_as_they_are() -> None:
    assert bare.strip(b"GIF89a") == bare.Bare(b"GIF89a")
