"""What a collection or a data set is worth on its own labels: retrieval, clusters, classifiers."""
