"""Files of measured data: where they were published and what they must contain."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from rxnopt.cards.base import DOI, Model


def _relative(path: str) -> str:
    if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(path.split("/")):
        raise ValueError(f"{path!r} must be a path below the repository, with '/' between its parts and no '..'")
    return path


class DataFile(Model):
    """One file, as it was published in a commit of a public repository, or beside the card."""

    repository: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.-]*[A-Za-z0-9_-]/[A-Za-z0-9_.-]*[A-Za-z0-9_-]$", description="Owner and name."
    )
    commit: str | None = Field(None, pattern=r"^[0-9a-f]{40}$", description="The commit, 40 hexadecimal digits.")
    path: Annotated[str, AfterValidator(_relative)] = Field(
        max_length=300, description="In the repository or, without one, beside the card."
    )
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="What the file must hash to; a published one needs it."
    )
    bytes: int | None = Field(None, ge=0, description="Size.")
    licence: str = Field("", description="Under which licence the repository publishes it.")
    doi: str | None = Field(None, pattern=DOI, description="Where the measurement was published, if not in 'source'.")
    what: str = Field("", description="What the file holds.")

    @model_validator(mode="after")
    def _pinned(self) -> DataFile:
        published = [self.repository, self.commit, self.sha256]
        if self.repository is None and self.commit is None:
            if "/" in self.path:
                raise ValueError(f"{self.path!r} is no file beside the card; give 'repository', 'commit' and 'sha256'")
        elif None in published:
            raise ValueError("a published file needs 'repository', 'commit' and 'sha256'; add what is missing")
        return self

    @property
    def place(self) -> str:
        """``owner/name/commit/path`` of a published file, else the name beside the card."""
        return self.path if self.repository is None else f"{self.repository}/{self.commit}/{self.path}"
