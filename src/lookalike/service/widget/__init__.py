"""The "search by photo" widget for shops: plain files, served as they are."""
