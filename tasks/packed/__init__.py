"""The data sets' common base: packed arrays on disk, and views of them.

`settings` names all that the bytes of a data set depend on, `storage` keeps
them, `records` reads them, one record at a time or many, `pipeline` makes a
`tf.data.Dataset` of them, and `builder` is the TensorFlow Datasets builder.
"""
