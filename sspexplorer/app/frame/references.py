"""What a visitor's document consists of, looked up only after it has changed.

Bokeh walks through all models of a document, some thousands of a visitor who has seen all pages,
whenever changes that were held together end; HoloViews holds every picture that it draws anew. Most
of these pictures have new numbers and no new model.
"""

from bokeh.document import Document
from bokeh.document.models import DocumentModelManager


class ChangedModels(DocumentModelManager):
    """Models of a document; after changes that were held together they are looked up if need be."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._stale = True
        self._roots: list[str] = []

    def invalidate(self) -> None:
        """Look up all models, now or when no changes are held any more."""
        self._stale = True
        super().invalidate()

    def recompute(self) -> None:
        """Look up all models, if any may have come or gone."""
        document = self._document()
        if document is None:
            return
        roots = [root.id for root in document.roots]
        if self._stale or roots != self._roots:
            super().recompute()
            self._stale, self._roots = False, roots


def look_up_only_changes(document: Document) -> None:
    """Have an empty document look up its models after changes only."""
    if not document.roots:
        document.models = ChangedModels(document)
