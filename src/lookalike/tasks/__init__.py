"""What a collection can be asked, one file a question; arrays and plain types in and out."""
