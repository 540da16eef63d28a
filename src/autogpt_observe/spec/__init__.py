"""The spec: text to positioned tree, merged tree to typed values, and the checks on them."""
