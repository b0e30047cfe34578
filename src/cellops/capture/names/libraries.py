"""What is known of the functions and methods of well-known libraries: which change what they are given.

What is not named here may change all that it is given, and the module that it comes from.
"""

import re
import sys
from fnmatch import translate
from functools import cache
from inspect import signature
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PURE = _words(
    """
    abc base64 binascii bisect builtins calendar cellops cmath collections colorsys contextlib copy csv dataclasses
    datetime decimal difflib duckdb enum fractions functools genericpath glob gzip hashlib heapq html io itertools
    joblib json math numbers numpy operator os pandas pathlib pickle platform polars posixpath ntpath pprint pyarrow
    random re scipy secrets sklearn statistics string struct textwrap time timeit tomllib types typing unicodedata
    uuid zipfile zlib zoneinfo _bisect _heapq _collections _functools _io _json _operator _pickle _random _struct
    posix nt IPython
    """
)
"""Libraries whose functions leave their arguments and their own state as they are, but for those below."""

KEEPS_STATE = _words(
    """
    altair bokeh httpx logging matplotlib mlflow mpl_toolkits plotly requests seaborn tqdm urllib
    """
)
"""Libraries whose functions leave their arguments alone and have a state of their own: a current figure, a run."""

CHANGES_ARGUMENTS = _words(
    """
    shuffle put place putmask put_along_axis copyto fill_diagonal at insort insort_left insort_right heappush
    heappop heapify heapreplace heappushpop setattr delattr setitem delitem iadd ior iand iconcat next readinto
    copyfileobj reduce map starmap partial apply_along_axis vectorize singledispatch deque fit_transform
    to_json_ready register pack_into
    """
)
"""Functions of the libraries above that change what they are given, or call it."""

PLACES_OF_OUT = {
    1: _words("fix isneginf isposinf"),
    2: _words(
        """
        all amax amin any argmax argmin around choose concat concatenate dot max median min nanargmax nanargmin nanmax
        nanmedian nanmin outer ptp round stack
        """
    ),
    3: _words(
        """
        accumulate clip compress cumprod cumsum mean nancumprod nancumsum nanmean nanpercentile nanprod nanquantile
        nanstd nansum nanvar percentile prod quantile std sum take trace var
        """
    ),
    4: _words("reduceat"),
}
"""Functions of numpy that write to an argument at this place, where so many are given; ufuncs know it themselves."""

CHANGES_INTERPRETER = re.compile(
    r"(?x) (?:^|\.) (?:"
    r" set_(?!index|axis|names|flags)\w* | set | use | seed | manual_seed | setstate | filterwarnings |"
    r" simplefilter | resetwarnings | chdir | fchdir | putenv | unsetenv | reload | enable\w* | disable\w*"
    r" | register\w* | unregister\w* | basicConfig | setlocale | seterr\w* | setcontext | setrecursionlimit"
    r" | set_option | reset_option | environ(?:\.(?:clear|pop|popitem|setdefault|update))?"
    r" | path\.(?:append|insert|extend) | addsitedir | signal |"
    r" copyreg\.\w+ | patch\w* | patch\.\w+ | install\w* |"
    r" use_inf_as_na | experimental\.\w+ | rcParams | rc | rcdefaults | interactive"
    r" | autolog | system | popen | Popen | run | call | check_call | check_output | makedirs | mkdir |"
    r" remove | removedirs | rename | renames | replace | rmdir | unlink | symlink | link | rmtree | move |"
    r" shutil\.copy | copy2 | copyfile | copytree | make_archive | unpack_archive | extractall | settrace |"
    r" setprofile | import_module | exec_module | setdefaulttimeout | field_size_limit | add_type |"
    r" setbufsize | setswitchinterval | addaudithook | setrlimit | umask | nice | tzset | stack_size ) $"
)
INTERPRETER_OF = _words(
    """
    abc atexit codecs collections copyreg csv faulthandler gc importlib locale logging matplotlib mimetypes numbers
    numpy os pandas polars random seaborn shutil signal site sklearn socket sqlite3 subprocess sys torch warnings posix
    decimal mlflow duckdb tqdm multiprocessing threading unittest mock resource time _csv _socket _sqlite3
    """
)
FILLED_BY_OTHERS = _words("sys warnings linecache gc matplotlib logging IPython builtins")
"""Libraries whose members and containers change when other code runs; `Surroundings` knows what cells share there."""
ONLY_SEEMS = frozenset({"numpy.set_diff", "re.sub", "dataclasses.replace", "operator.call"})

READS_FILES = re.compile(
    r"(?x)^(?: read | load | open | scan | from_csv | from_file | from_json | fromfile | genfromtxt | glob | listdir"
    r" | memmap | exists | is_file | iterdir | rglob | walk | l?stat | getsize | get[acm]time | is(?:file|dir|link) |"
    r" lexists | samefile | scandir | read_\w+ | load\w* | scan_\w+ | ParquetFile | sql"
    r" | execute | connect )$"
)
WRITES_FILES = re.compile(
    r"(?x)^(?: to_(?:csv|parquet|feather|json|excel|pickle|hdf|stata|sql|orc|html|xml|latex|markdown) | write\w*"
    r" | sink_\w+ | save\w* | dump | tofile | touch | mkdir | unlink | rename | rmdir | symlink_to | hardlink_to"
    r" | imsave | imwrite | open | sql | execute | connect | replace )$"
)
SAVES = re.compile(r"^(?:save\w*|dump\w*|export\w*|write|write_\w+)$")
"""Methods of objects that are not known by which they write files, by their names."""
OPENS = _words("open fdopen open_file File ZipFile TarFile GzipFile BZ2File LZMAFile")
"""Functions that open a file, to write to it where their second argument says so."""
OPENS_TO_WRITE = re.compile(
    r"(?x)(?:^|\.)(?: shelve\.open | dbm\.\w*\.?open | connect | create_engine | memmap | open_memmap | HDFStore"
    r" | ExcelWriter | ParquetWriter | \w*FileHandler | \w*Temporary\w+ | mkstemp | mkdtemp | SummaryWriter )$"
)
"""Functions that open a file to be written to, whatever they are given."""
MAPS = _words("memmap open_memmap")
"""Functions whose arrays are files themselves; others do so if a `mmap_mode` is given."""
ON_PATHS = _words(
    """
    touch mkdir unlink rename rmdir replace write_text write_bytes symlink_to hardlink_to chmod open
    """
)

KEPT_BY_LOGGING = _words("addHandler addFilter append basicConfig extend insert setLogRecordFactory setLoggerClass")
"""Functions of `logging` after which its state holds what they were given."""
CHANGES_ITSELF = _words(
    """
    add append byteswap clear difference_update discard drop_in_place extend fill insert insert_column
    intersection_update __delitem__ __setitem__ __iadd__ partition pop popitem put remove replace_column resize
    reverse setdefault setfield setflags set_fill_value set_names set_sorted shrink_to_fit sort sort_in_place
    symmetric_difference_update update __setattr__ rechunk_in_place extend_constant upsample_in_place
    eliminate_zeros sum_duplicates sort_indices prune setdiag
    """
)
"""Methods of containers, frames and arrays that change them; the others do not."""

RENAMES_INDEX = _words("rename set_names")
"""Methods that change the name of an index when they are asked to do it in place."""
NAMES_OF_INDEX = _words("name names")

GIVES_A_NEW_ONE = _words(
    """
    abs agg aggregate all any apply argmax argmin argsort assign astype clip copy corr count cov cummax cummin
    cumprod cumsum describe diff dot drop drop_duplicates dropna duplicated eq explode fillna ge group_by gt idxmax
    idxmin info isin isna isnull join le lt map max mean median melt merge min mode ne nlargest notna nsmallest
    nunique pivot pivot_table pct_change prod quantile query rank replace round sample sem shift skew sort_index
    sort_values std sum to_csv to_dict to_json to_list tolist to_parquet to_string transform unique value_counts var
    with_columns fill_null filter select collect
    """
)
"""Methods of frames and arrays whose result shares nothing with them."""

CHANGES_ESTIMATOR = _words("fit fit_predict fit_transform partial_fit set_output set_params")
GIVES_STATE = re.compile(
    r"^_?decimal\.(?:getcontext|localcontext)$|^(?:unittest\.)?mock\.patch(?:\.\w+)?$|^importlib\.import_module$"
)
DRAWS_WITH = {"seaborn": "matplotlib", "mpl_toolkits": "matplotlib"}
DRAWS = _words("boxplot hist plot")
"""Methods of frames that may draw on matplotlib's current figure."""
SHARED = _words(
    """
    sys.path sys.meta_path sys.path_hooks sys.path_importer_cache warnings.filters decimal.DefaultContext
    decimal.BasicContext decimal.ExtendedContext
    """
)
"""Members of modules that stand for a part of what all cells share."""
ALL_MODULES = "sys.modules"
"""The full name of what holds all modules, and of any of them."""
ENTERS = _words("__enter__ __exit__ __aenter__ __aexit__ enter_context enter_async_context")
"""Methods by which a context is entered that may outlive the cell: a context may change what all cells share."""
LEADS_ANYWHERE = _words(
    """
    __subclasses__ __globals__ ag_frame cr_frame f_back f_globals f_locals gi_frame tb_frame user_global_ns user_module
    user_ns
    """
)
"""Attributes that lead to objects that nothing else in the source names."""
HARMLESS_OF_SHELL = _words(
    """
    __class__ ast_transformers banner1 banner2 colors config display_formatter display_pub events execution_count
    history_manager input_transformers_cleanup input_transformers_post kernel magics_manager parent set_next_input
    """
)
"""Attributes of IPython's shell that lead to no name of the notebook."""

INDEXERS = _words("at iat iloc loc")
"""Attributes of frames that stand for the frame itself: setting an item of them sets it in the frame."""

TEXTS_WITH_NAMES = _words(
    """
    query eval sql execute read_sql read_sql_query from_formula ols logit glm wls gls poisson probit mixedlm dmatrix
    dmatrices sqldf from_query
    """
)
"""Functions and methods that look up names of the notebook in a text."""

PURE_OF_ESTIMATORS = re.compile(
    "|".join(
        translate(pattern)
        for pattern in (
            *("predict*", "transform", "inverse_transform", "score*", "decision_function", "staged_*", "get_*"),
            *("kneighbors*", "apply", "decision_path", "cost_complexity_pruning_path", "split", "bic", "aic", "items"),
            *("keys", "values", "copy", "index", "count", "named_steps", "build_*", "__sklearn_*"),
        )
    )
)

DESCRIBES = _words(
    """
    ascii bool breakpoint callable dir display format hasattr hash help id isinstance issubclass len print repr str
    type
    """
)
"""Built-in functions that look at their arguments; that this changes nothing is taken for granted."""
CONSUMES = _words(
    """
    all any bytearray bytes dict enumerate filter frozenset iter list map max min next reversed set slice sorted sum
    tuple zip getattr super object property staticmethod classmethod int float complex abs round divmod pow range
    ord chr bin hex oct memoryview input aiter anext
    """
)
"""Built-in functions that go through their arguments, or call functions among them."""
GIVES_A_CONSTANT = _words(
    """
    abs all any ascii bin bool bytes callable chr complex divmod float format hasattr hash hex id int isinstance
    issubclass len oct ord pow print range repr round str display help dir input
    """
)
HIDES = _words("exec eval compile globals locals __import__")
FRAMES = re.compile(
    r"^(?:sys\._getframe|inspect\.(?:currentframe|stack|getouterframes)|gc\.get_\w+|sys\.modules\.\w+|ctypes\..*|runpy\..*)$"
)


def root(origin: str) -> str:
    """The library that a full name belongs to."""
    return origin.partition(".")[0]


def is_known(origin: str) -> bool:
    """Whether a function or a class leaves its arguments and its own library's state alone."""
    return root(origin) in PURE and last(origin) not in CHANGES_ARGUMENTS


def last(origin: str) -> str:
    return origin.rpartition(".")[2]


def works_in_place(parameter: str, value: object) -> bool:
    """Whether a parameter tells a function or an estimator to work in the tables that it is given."""
    return (parameter.startswith("copy") and value is False) or (
        parameter.startswith(("inplace", "overwrite")) and value is True
    )


@cache
def parameters(origin: str) -> tuple[str, ...]:
    """The parameters of a function by their places; none where it is not loaded, or says nothing of them."""
    module = sys.modules.get(origin.rpartition(".")[0])
    found: Any = None if module is None else vars(module).get(last(origin))  # no attribute, which may import more
    try:
        return tuple(signature(found).parameters)
    except (TypeError, ValueError):
        return ()


def changes_interpreter(origin: str) -> bool:
    """Whether calling a function changes what all cells share."""
    return root(origin) in INTERPRETER_OF and bool(CHANGES_INTERPRETER.search(origin)) and origin not in ONLY_SEEMS


def gives_state(origin: str) -> bool:
    """Whether calling a function gives an object that stands for a part of what all cells share."""
    return GIVES_STATE.match(origin) is not None


def state_of(origin: str) -> str:
    """The name that stands for the state of a library: what draws on matplotlib's figures shares its state."""
    return f"(module {DRAWS_WITH.get(root(origin), root(origin))})"


def changes_itself(method: str) -> bool:
    """Whether a method changes its object: such a one may be given to others to be called."""
    return method in CHANGES_ITSELF or method in CHANGES_ESTIMATOR


def place_of_out(function: str) -> int | None:
    """The place of the first argument that a function of numpy writes to, for the last part of its name."""
    found: Any = getattr(sys.modules.get("numpy"), function, None)
    if type(found).__name__ == "ufunc":
        return int(found.nin)
    return next((place for place, names in PLACES_OF_OUT.items() if function in names), None)


def is_pure_of_estimators(method: str) -> bool:
    return PURE_OF_ESTIMATORS.match(method) is not None
