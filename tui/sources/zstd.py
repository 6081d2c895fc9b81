"""The only importer of zstandard: Codex compresses cold rollouts (wire.md 7)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PIECE: Final = 1 << 20


def unpack(path: str, most: int) -> Iterator[bytes]:
    """Unpack a file piece by piece.

    Args:
        path: The compressed file.
        most: Bytes after which the rest is left out, since a small file can hold a flood.

    Raises:
        OSError: It cannot be read, or is no whole zstd file.
    """
    import zstandard

    with Path(path).open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as unpacked:
        left = most
        try:
            while left > 0 and (data := unpacked.read(min(_PIECE, left))):
                left -= len(data)
                yield data
        except (zstandard.ZstdError, MemoryError) as error:
            raise OSError(f"{path} is damaged") from error
