"""Pictures: pure functions from tables to HoloViews objects, with neither widgets nor state."""
