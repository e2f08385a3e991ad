"""From frames of cameras to identities: detect, track, describe, associate. Arrays and plain values, no store."""
