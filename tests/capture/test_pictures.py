"""What figures show: the same in files that differ in all but that, and another one when a pixel or a line differs."""

import io
import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cellops.capture.pictures import SIGNATURE, picture_of


@contextmanager
def plotted(title: str, **saved: Any) -> Iterator[io.BytesIO]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": None}):
        figure = Figure(figsize=(2, 2))
        axes = figure.subplots()
        axes.plot([1, 3, 2], marker="o")
        axes.fill_between([0, 1], [1, 2], hatch="/")
        axes.set_title(title)
        held = io.BytesIO()
        figure.savefig(held, **saved)
        yield held


def saved(title: str, form: str, **more: Any) -> bytes:
    with plotted(title, format=form, **more) as held:
        return held.getvalue()


@pytest.mark.parametrize("form", ["png", "svg"])
def test_metadata_and_random_ids_are_no_part_of_a_picture(form: str) -> None:
    key = "Software" if form == "png" else "Creator"
    one, same = saved("a", form, metadata={key: "one"}), saved("a", form, metadata={key: "another"})
    assert one != same
    assert picture_of(f".{form}", one) == picture_of(f".{form}", same) is not None
    assert picture_of(f".{form}", one) != picture_of(f".{form}", saved("b", form))


def test_another_compression_is_no_other_picture() -> None:
    from PIL import Image

    image = Image.new("P", (9, 5), 3)
    image.putpalette(list(range(12)))

    def packed(image: Image.Image, level: int) -> bytes:
        held = io.BytesIO()
        image.save(held, "png", compress_level=level)
        return held.getvalue()

    assert packed(image, 0) != packed(image, 9)
    assert picture_of(".png", packed(image, 0)) == picture_of(".png", packed(image, 9)) is not None
    other = image.copy()
    other.putpixel((4, 2), 2)
    assert picture_of(".png", packed(other, 9)) != picture_of(".png", packed(image, 9))
    other = image.copy()
    other.putpalette(list(range(1, 13)))
    assert picture_of(".png", packed(other, 9)) != picture_of(".png", packed(image, 9))


def test_an_id_of_plotly_is_no_part_of_a_picture() -> None:
    def figure(uid: str, height: int) -> bytes:
        return json.dumps({"data": [{"uid": uid, "y": [1, height]}], "layout": {"title": "t"}}).encode()

    one = picture_of(".plotly.json", figure("1f", 2))
    assert one == picture_of(".plotly.json", figure("2e", 2)) is not None
    assert one != picture_of(".plotly.json", figure("1f", 3))


def test_ids_that_change_places_are_another_picture() -> None:
    def drawn(first: str, used: str) -> bytes:
        other = "m0123456789" if first == "p9876543210" else "p9876543210"
        return f'<svg><path id="{first}"/><path id="{other}" d="M0"/><use href="#{used}"/></svg>'.encode()

    one = picture_of(".svg", drawn("p9876543210", "p9876543210"))
    assert one == picture_of(".svg", drawn("m0123456789", "m0123456789"))
    assert one != picture_of(".svg", drawn("p9876543210", "m0123456789"))


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".png", b"no picture"),
        (".png", SIGNATURE + struct.pack(">I4s", 3, b"IDAT") + b"abc" + bytes(4)),
        (".png", SIGNATURE + struct.pack(">I4s", 9, b"IDAT") + zlib.compress(bytes(2**20))[:9] + bytes(4)),
        (".png", SIGNATURE[:8] + b"\0"),
        (".svg", b"\xff\xfe"),
        (".plotly.json", b"{"),
    ],
)
def test_what_is_damaged_shows_nothing(suffix: str, content: bytes) -> None:
    assert picture_of(suffix, content) is None


def test_what_a_photograph_shows_is_its_whole_file() -> None:
    assert picture_of(".jpg", b"a") != picture_of(".jpg", b"b")
