// Placeholder: replaced by the stage's first file.
