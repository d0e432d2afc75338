import gzip
import io
import tracemalloc
import zlib
from pathlib import Path

import pytest

from monitor.collector.body import read
from monitor.errors import BadRequest, TooLarge
from tests.monitor.collector.fronts import TOKEN, stand

MIB = 1024 * 1024

EMPTY = gzip.compress(b"[]")


def body(data: bytes, encoding: str = "", most: int = 8 * MIB, compressed: int = MIB) -> bytes:
    return read(io.BytesIO(data), encoding, most, compressed)


@pytest.mark.parametrize("encoding", ["", "identity", "GZIP", " gzip "])
def test_plain_and_gzip_come_out_the_same(encoding: str) -> None:
    text = b'[{"a": 1}]' * 1000
    sent = gzip.compress(text) if "gzip" in encoding.lower() else text
    assert body(sent, encoding) == text


def test_bomb_is_refused_without_filling_the_memory() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(512)) + packer.flush()
    assert len(bomb) < MIB
    tracemalloc.start()
    with pytest.raises(TooLarge):
        body(bomb, "gzip")
    assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    tracemalloc.stop()


def test_batch_that_packs_well_is_no_bomb() -> None:
    text = b'[{"source":"orum","endpoint":"payouts"}]' * 1500
    assert body(gzip.compress(text), "gzip") == text


@pytest.mark.parametrize(("size", "fits"), [(8 * MIB, True), (8 * MIB + 1, False)])
def test_cap_is_exact_for_plain_bodies(size: int, fits: bool) -> None:
    if fits:
        assert len(body(b" " * size)) == size
    else:
        with pytest.raises(TooLarge, match=str(8 * MIB)):
            body(b" " * size)


def test_compressed_body_over_its_own_cap_is_refused() -> None:
    with pytest.raises(TooLarge, match="compressed"):
        body(gzip.compress(b"".join(i.to_bytes(4, "big") for i in range(10_000))), "gzip", compressed=1000)


@pytest.mark.parametrize(
    "sent",
    [b"", b"not gzip", EMPTY[:-4], EMPTY + b"x", EMPTY * 2],
    ids=["empty", "plain", "cut off", "tail", "doubled"],
)
def test_broken_cut_off_or_doubled_gzip_is_refused(sent: bytes) -> None:
    with pytest.raises(BadRequest):
        body(sent, "gzip")


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "deflate", "zstd"])
def test_other_and_layered_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(BadRequest, match="Content-Encoding"):
        body(gzip.compress(gzip.compress(b"[]")), encoding)


@pytest.mark.parametrize(("token", "left"), [(None, 900_000), (TOKEN, 0)])
def test_rest_of_a_refused_body_is_read_for_those_with_a_key_alone(
    tmp_path: Path, token: str | None, left: int
) -> None:
    collector = stand(tmp_path, body_bytes=500_000)
    body = io.BytesIO(b"[" * 900_000)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = collector.client.post(
        "/api/v1/records", input_stream=body, headers=headers, content_length=900_000
    )

    assert response.status_code == (413 if token else 401)
    assert len(body.read()) == left
    collector.store.close()
