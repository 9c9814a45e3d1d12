"""A model behind FastAPI and a process pool: POST /infer, MessagePack in and out; POST /reload,
{"model_path": …}, swaps the pool for one with another model.

Environment: MODEL_PATH, INTRA_OP_THREADS, POOL_PROCESSES.
"""

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager

import msgpack
import numpy as np
import onnxruntime
from fastapi import FastAPI, Request, Response

PROCESSES = int(os.environ["POOL_PROCESSES"])

_session = None
_all_loaded = None


def load_session(model_path, all_loaded):
    """Runs once in every process of the pool; warms the session up."""
    global _session, _all_loaded
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["INTRA_OP_THREADS"])
    options.inter_op_num_threads = 1
    _session = onnxruntime.InferenceSession(
        model_path, options, providers=["CPUExecutionProvider"]
    )
    width = _session.get_inputs()[0].shape[1]
    _session.run(None, {"x": np.zeros((1, width), np.float32)})
    _all_loaded = all_loaded


def wait_for_all():
    """Each process takes one of these tasks, since none is done before all have begun."""
    _all_loaded.wait()


def infer(body):
    """Bytes in, bytes out, so that nothing is pickled but bytes."""
    x = msgpack.unpackb(body)["inputs"]["x"]
    values = np.frombuffer(x["data"], np.float32).reshape(x["shape"])
    (y,) = _session.run(None, {"x": values})
    output = {"datatype": "FP32", "shape": y.shape, "data": y.tobytes()}
    return msgpack.packb({"outputs": {"y": output}})


async def start_pool(model_path):
    """Resolves when every process has loaded the model."""
    barrier = multiprocessing.Barrier(PROCESSES)
    pool = ProcessPoolExecutor(
        PROCESSES, initializer=load_session, initargs=(model_path, barrier)
    )
    loop = asyncio.get_running_loop()
    waiting = [loop.run_in_executor(pool, wait_for_all) for _ in range(PROCESSES)]
    await asyncio.gather(*waiting)
    return pool


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await start_pool(os.environ["MODEL_PATH"])
    yield
    app.state.pool.shutdown()


app = FastAPI(lifespan=lifespan)


@app.post("/infer")
async def post_infer(request: Request):
    body = await request.body()
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(app.state.pool, infer, body)
    return Response(answer, media_type="application/msgpack")


@app.post("/reload")
async def post_reload(request: Request):
    """The old pool ends once it has done what it was asked for."""
    pool = await start_pool((await request.json())["model_path"])
    old, app.state.pool = app.state.pool, pool
    await asyncio.to_thread(old.shutdown)
    return {}
