# What the gateway application answers to whoever has no certificate of the controller.
param($Parameters)

$until = [DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds)
while ($true) {
    $status = 0
    $problem = ''
    try {
        $status = [int] (Invoke-WebRequest -Uri $Parameters.url -UseBasicParsing -TimeoutSec 60).StatusCode
    } catch {
        if ($_.Exception.Response) { $status = [int] $_.Exception.Response.StatusCode }
        $problem = [string] $_.Exception.Message
    }
    # A worker process that is still starting may fail at first.
    if (($status -ge 1 -and $status -lt 500) -or [DateTime]::UtcNow -ge $until) { break }
    Start-Sleep -Milliseconds 1000
}
@{ status = $status; problem = $problem }
