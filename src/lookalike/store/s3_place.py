"""Small objects on S3, or on a service with its interface."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lookalike.errors import MissingExtra
from lookalike.store.bulk_data import BulkData
from lookalike.store.object_log import DELETING, FOLDER, entry_name
from lookalike.store.object_places import Place, Taken, failed


class S3Place(Place):
    """A prefix of a bucket on S3, or on a service with its interface that knows conditional puts.

    Keys, region and endpoint come from the environment (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, ...).
    """

    freshness = 1.0

    def __init__(self, root: str) -> None:
        """Load the driver.

        Raises:
            MissingExtra: If it is not installed.
        """
        super().__init__(root)
        try:
            import s3fs
        except ImportError as error:
            raise MissingExtra("a collection on s3://", "s3") from error
        self._endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        self._files: Any = s3fs.S3FileSystem(endpoint_url=self._endpoint, use_listings_cache=False)

    def bulk(self) -> BulkData:
        """Lance datasets."""
        from lookalike.store.lance_bulk import Bulk

        return Bulk(self)

    def destroy(self) -> None:
        """See :meth:`Place.destroy`.

        The first entry goes first, since without it the rest is no collection, and the mark that says so with the log,
        which goes last: see :mod:`lookalike.store.lance_creation`.
        """
        self.replace(f"{FOLDER}/{DELETING}", b"")
        self.delete([entry_name(1), "data", "payloads", "originals", "checkpoint", FOLDER])

    def lance_options(self) -> dict[str, str]:
        """The endpoint, where it is not Amazon's; Lance reads keys and region from the environment itself."""
        if not self._endpoint:
            return {}
        return {
            "aws_endpoint": self._endpoint,
            "allow_http": str(self._endpoint.startswith("http://")).lower(),
        }

    def _key(self, name: str) -> dict[str, str]:
        bucket, _, key = self.uri(name).removeprefix("s3://").partition("/")
        return {"Bucket": bucket, "Key": key}

    def read(self, name: str) -> bytes | None:
        """See :meth:`Place.read`."""
        try:
            return bytes(self._files.cat_file(self.uri(name)))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise failed("read", self.uri(name), error) from error

    def exists(self, name: str) -> bool:
        """See :meth:`Place.exists`: one HEAD request."""
        try:
            self._files.call_s3("head_object", **self._key(name))
        except FileNotFoundError:
            return False
        except Exception as error:
            raise failed("asked for", self.uri(name), error) from error
        return True

    def create(self, name: str, data: bytes) -> None:
        """See :meth:`Place.create`: one PUT request with ``If-None-Match: *``."""
        try:
            self._files.call_s3("put_object", **self._key(name), Body=data, IfNoneMatch="*")
        except FileExistsError as error:
            raise Taken(name) from error
        except Exception as error:
            raise failed("written", self.uri(name), error) from error

    def replace(self, name: str, data: bytes) -> None:
        """See :meth:`Place.replace`."""
        try:
            self._files.pipe_file(self.uri(name), data)
        except Exception as error:
            raise failed("written", self.uri(name), error) from error

    def upload(self, name: str, source: Path) -> None:
        """See :meth:`Place.upload`."""
        try:
            self._files.put_file(str(source), self.uri(name))
        except Exception as error:
            raise failed("written", self.uri(name), error) from error

    def download(self, name: str, target: Path) -> bool:
        """See :meth:`Place.download`."""
        try:
            self._files.get_file(self.uri(name), str(target))
        except FileNotFoundError:
            return False
        except Exception as error:
            raise failed("read", self.uri(name), error) from error
        return True

    def names(self, folder: str) -> list[str]:
        """See :meth:`Place.names`."""
        try:
            found = self._files.ls(self.uri(folder), detail=False, refresh=True)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise failed("listed", self.uri(folder), error) from error
        return sorted(str(each).rstrip("/").rpartition("/")[2] for each in found)

    def sizes(self, beginning: str) -> dict[str, int]:
        """See :meth:`Place.sizes`: a request for each 1,000 objects."""
        where = self._key(beginning)
        below = where["Key"].removesuffix(beginning)
        asked = {"Bucket": where["Bucket"], "Prefix": where["Key"]}
        found: dict[str, int] = {}
        while True:
            try:
                page = self._files.call_s3("list_objects_v2", **asked)
            except Exception as error:
                raise failed("listed", self.uri(beginning), error) from error
            found |= {each["Key"].removeprefix(below): each["Size"] for each in page.get("Contents", ())}
            if not page.get("IsTruncated"):
                return found
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, names: Iterable[str]) -> None:
        """See :meth:`Place.delete`."""
        for name in names:
            try:
                self._files.rm(self.uri(name), recursive=True)
            except FileNotFoundError:
                continue
            except Exception as error:
                raise failed("deleted", self.uri(name), error) from error

    def settle(self, folder: str, files: Iterable[str], folders: Iterable[str] = ()) -> None:
        """Nothing: what S3 acknowledged is durable."""

    def sweep(self, folders: Iterable[str]) -> None:
        """Nothing: an object is there whole or not at all; the bucket expires parts of uploads."""
