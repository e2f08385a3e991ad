"""Where images come from (:mod:`.scan`) and how bytes become pixels (:mod:`.decode`)."""
