"""Check transformers that make a table by its stated width: columns that they do not fill show old memory."""

from typing import Any

from cellops.packaging.formats.trees import width


def polynomials_hold(transformer: Any) -> bool:
    """The columns that are made are those of the degrees."""
    degree = transformer.degree
    least, most = degree if isinstance(degree, tuple | list) else (0, degree)

    def columns(from_degree: int) -> int:
        return int(
            transformer._num_combinations(
                n_features=width(transformer),
                min_degree=from_degree,
                max_degree=most,
                interaction_only=transformer.interaction_only,
                include_bias=transformer.include_bias,
            )
        )

    return (
        (transformer._min_degree, transformer._max_degree) == (least, most)
        and 0 <= least <= most
        and transformer.n_output_features_ == columns(least)
        and transformer._n_out_full == columns(0)
    )


def target_encodings_hold(encoder: Any) -> bool:
    """There is an encoding for each column that is made."""
    columns = width(encoder) * (len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1)
    return columns > 0 and len(encoder.encodings_) == columns
