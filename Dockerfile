# LlmOs in a container. Targets: server (default; the trainer is in it) and server-cuda (NVIDIA cards).
#   docker build -t llmos .
#   docker build -t llmos:cuda --target server-cuda --build-arg ORT_FLAVOR=cuda13 .

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG ORT_FLAVOR=cpu
ARG LLMOS_TORCH=cpu
WORKDIR /source
# Projects first: packages are restored again only when one of these files changes.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/LlmOs.Contracts/LlmOs.Contracts.csproj src/LlmOs.Contracts/
COPY src/LlmOs.Infrastructure/LlmOs.Infrastructure.csproj src/LlmOs.Infrastructure/
COPY src/LlmOs.Formats/LlmOs.Formats.csproj src/LlmOs.Formats/
COPY src/LlmOs.Engine/LlmOs.Engine.csproj src/LlmOs.Engine/
COPY src/LlmOs.Models/LlmOs.Models.csproj src/LlmOs.Models/
COPY src/LlmOs.Tools/LlmOs.Tools.csproj src/LlmOs.Tools/
COPY src/LlmOs.Apps/LlmOs.Apps.csproj src/LlmOs.Apps/
COPY src/LlmOs.Web/LlmOs.Web.csproj src/LlmOs.Web/
COPY src/LlmOs.Trainer/LlmOs.Trainer.csproj src/LlmOs.Trainer/ElfCompat.targets src/LlmOs.Trainer/
COPY src/LlmOs.Server/LlmOs.Server.csproj src/LlmOs.Server/
# Compiled ahead of time (ReadyToRun): the server listens after two thirds of the time, for 30 MB more.
RUN dotnet restore src/LlmOs.Server -p:PublishReadyToRun=true -p:OrtFlavor=${ORT_FLAVOR} -p:LlmOsTorch=${LLMOS_TORCH}
COPY src/ src/
COPY models/ models/
RUN dotnet publish src/LlmOs.Server -c Release -o /out/server -p:PublishReadyToRun=true -p:OrtFlavor=${ORT_FLAVOR} -p:LlmOsTorch=${LLMOS_TORCH}
RUN dotnet publish src/LlmOs.Trainer -c Release -o /out/server/trainer -p:PublishReadyToRun=true -p:LlmOsTorch=${LLMOS_TORCH}

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS server
# The image's own user of no rights; the data folder is its only place to write.
RUN install -d -o app -g app /data
COPY --from=build /out/server /app
WORKDIR /app
ENV LLMOS_DATA=/data ASPNETCORE_URLS=http://0.0.0.0:8080
VOLUME /data
EXPOSE 8080
USER app
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q ' 200 ' <&3"]
ENTRYPOINT ["dotnet", "LlmOs.Server.dll"]

# CUDA 13 and cuDNN 9, which ONNX Runtime's card package is built for; the .NET runtime is brought along.
FROM nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04 AS server-cuda
RUN apt-get update && apt-get install -y --no-install-recommends libicu74 && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 1654 --create-home app && install -d -o app -g app /data
COPY --from=build /usr/share/dotnet /usr/share/dotnet
COPY --from=build /out/server /app
WORKDIR /app
ENV LLMOS_DATA=/data LLMOS_DEVICE=cuda ASPNETCORE_URLS=http://0.0.0.0:8080 PATH=/usr/share/dotnet:$PATH
VOLUME /data
EXPOSE 8080
USER app
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q ' 200 ' <&3"]
ENTRYPOINT ["dotnet", "LlmOs.Server.dll"]
