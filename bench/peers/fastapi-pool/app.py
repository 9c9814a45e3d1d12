"""A model behind FastAPI and a process pool: POST /infer, MessagePack in and out.

Environment: MODEL_PATH, INTRA_OP_THREADS, POOL_PROCESSES.
"""

import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager

import msgpack
import numpy as np
import onnxruntime
from fastapi import FastAPI, Request, Response

_session = None


def load_session():
    """Runs once in every process of the pool."""
    global _session
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["INTRA_OP_THREADS"])
    options.inter_op_num_threads = 1
    _session = onnxruntime.InferenceSession(
        os.environ["MODEL_PATH"], options, providers=["CPUExecutionProvider"]
    )


def infer(body):
    """Bytes in, bytes out, so that nothing is pickled but bytes."""
    x = msgpack.unpackb(body)["inputs"]["x"]
    values = np.frombuffer(x["data"], np.float32).reshape(x["shape"])
    (y,) = _session.run(None, {"x": values})
    output = {"datatype": "FP32", "shape": y.shape, "data": y.tobytes()}
    return msgpack.packb({"outputs": {"y": output}})


@asynccontextmanager
async def lifespan(app):
    processes = int(os.environ["POOL_PROCESSES"])
    with ProcessPoolExecutor(processes, initializer=load_session) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/infer")
async def post_infer(request: Request):
    body = await request.body()
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(app.state.pool, infer, body)
    return Response(answer, media_type="application/msgpack")
