"""Headers of every answer, whichever handler makes it."""

from collections.abc import Mapping

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform


def with_headers(headers: Mapping[str, str]) -> type[OutputTransform]:
    """Make what tornado asks before it sends an answer.

    Parameters
    ----------
    headers : mapping
        They replace those of the same name.
    """

    class Headers(OutputTransform):
        def __init__(self, request: HTTPServerRequest) -> None:
            pass

        def transform_first_chunk(
            self, status_code: int, answered: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            for name, value in headers.items():
                answered[name] = value
            return status_code, answered, chunk

    return Headers
