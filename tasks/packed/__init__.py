"""What the data sets share: packed arrays on disk, and the views of them.

`settings` says what the bytes of a data set depend on, `storage` keeps them,
`records` reads them, one record at a time or many, `pipeline` makes a
`tf.data.Dataset` of that, and `builder` is the TensorFlow Datasets builder.
"""
