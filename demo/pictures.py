"""Pixels of pictures, and what an independent decoder (zxing) reads in them."""
import pathlib
import struct
import subprocess
import tempfile
import zlib

from place import Failed

try:
    import numpy
    import zxingcpp
except ImportError:
    numpy = None


def need_decoder():
    if numpy is None:
        raise Failed("Debian's python3-zxing-cpp is missing: tools/setup.sh installs it")


def decoded(pixels, carrier):
    """Texts of the symbols of a carrier (as in labels), group separators as they are."""
    need_decoder()
    framed = numpy.pad(pixels, 40, constant_values=255)
    if carrier == "gs1-128":  # one: Debian's zxing 1.4 ends the program where it reads several
        one = zxingcpp.read_barcode(framed, zxingcpp.BarcodeFormat.Code128)
        read = [one] if one is not None and one.valid else []
    else:
        formats = zxingcpp.BarcodeFormat.DataMatrix | zxingcpp.BarcodeFormat.QRCode
        read = [one for one in zxingcpp.read_barcodes(framed, formats) if one.valid]
    return {bytes(one.bytes).decode() for one in read}


def unfiltered(raw, height, stride, pixel):
    """Rows of a PNG: section 9 of ISO/IEC 15948."""
    rows, before = [], bytes(stride)
    for at in range(height):
        kind, row = raw[at * (stride + 1)], bytearray(raw[at * (stride + 1) + 1:(at + 1) * (stride + 1)])
        for i in range(stride):
            left = row[i - pixel] if i >= pixel else 0
            corner = before[i - pixel] if i >= pixel else 0
            if kind == 4:
                estimate = left + before[i] - corner
                near = min((abs(estimate - v), n) for n, v in enumerate((left, before[i], corner)))
                added = (left, before[i], corner)[near[1]]
            else:
                added = (0, left, before[i], (left + before[i]) // 2)[kind]
            row[i] = (row[i] + added) & 255
        rows.append(bytes(row))
        before = rows[-1]
    return rows


def png(path):
    """Grey pixels of a PNG of one, two, four or eight bits of grey."""
    need_decoder()
    data, at, packed = pathlib.Path(path).read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
        elif kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    if colour != 0:
        raise Failed(f"{path}: not a grey PNG")
    rows = unfiltered(zlib.decompress(packed), height, (width * bits + 7) // 8, max(1, bits // 8))
    samples = numpy.unpackbits(numpy.frombuffer(b"".join(rows), numpy.uint8).reshape(height, -1), axis=1)
    samples = samples[:, : width * bits].reshape(height, width, bits)
    weights = 1 << numpy.arange(bits - 1, -1, -1)
    return ((samples * weights).sum(axis=2) * 255 // ((1 << bits) - 1)).astype(numpy.uint8)


def pgm(data):
    """Grey pixels of a binary portable graymap."""
    need_decoder()
    _, width, height, _ = data.split(maxsplit=4)[:4]
    width, height = int(width), int(height)
    return numpy.frombuffer(data[-width * height:], numpy.uint8).reshape(height, width).copy()


def svg(path):
    """Drawn by librsvg, put on paper and made grey by way of PDF, so that no colours are to be decoded."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = pathlib.Path(folder) / "sheet.pdf"
        subprocess.run(["rsvg-convert", "-f", "pdf", "-o", sheet, path], check=True, capture_output=True)
        return pdf(sheet)[0]


def pdf(path):
    """Its pages, drawn by poppler."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["pdftoppm", "-r", "400", "-gray", path, f"{folder}/page"], check=True, capture_output=True)
        return [pgm(page.read_bytes()) for page in sorted(pathlib.Path(folder).iterdir())]
