"""A model behind Ray Serve: POST /infer, MessagePack in and out."""

import asyncio

import msgpack
import numpy as np
import onnxruntime
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

MOST_ROWS = 32


def load_session(model_path, threads):
    """Warmed up."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model_path, options, providers=["CPUExecutionProvider"]
    )
    width = session.get_inputs()[0].shape[1]
    session.run(None, {"x": np.zeros((1, width), np.float32)})
    return session


@serve.deployment(
    max_ongoing_requests=2 * MOST_ROWS, logging_config={"enable_access_log": False}
)
class Model:
    async def reconfigure(self, config):
        """Called before the first request, and for each update on one replica after another."""
        self.session = await asyncio.to_thread(
            load_session, config["model_path"], config["threads"]
        )

    @serve.batch(max_batch_size=MOST_ROWS, batch_wait_timeout_s=0)
    async def infer(self, inputs):
        """Whatever waits is run as one batch."""
        (y,) = self.session.run(None, {"x": np.concatenate(inputs)})
        ends = np.cumsum([len(x) for x in inputs])
        return np.split(y, ends[:-1])

    async def __call__(self, request: Request) -> Response:
        x = msgpack.unpackb(await request.body())["inputs"]["x"]
        y = await self.infer(np.frombuffer(x["data"], np.float32).reshape(x["shape"]))
        output = {"datatype": "FP32", "shape": y.shape, "data": y.tobytes()}
        answer = msgpack.packb({"outputs": {"y": output}})
        return Response(answer, media_type="application/msgpack")


app = Model.bind()
