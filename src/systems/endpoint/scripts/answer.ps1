# What the gateway application answers at its planned address to whoever has no certificate of the controller. Its name is known on
# the management node alone: it is asked for by that name, and not looked for by it.
param($Parameters)

# Whatever Windows speaks; the certificate is looked at, and decides nothing.
$protocols = [Security.Authentication.SslProtocols] 'Tls, Tls11, Tls12'

function Get-Answer {
    $answer = @{ connection = 'none'; status = 0; untrusted = ''; problem = 'no connection within 15 s' }
    $client = New-Object System.Net.Sockets.TcpClient
    try {
        $client.ReceiveTimeout = 60000
        $client.SendTimeout = 60000
        if (-not $client.ConnectAsync([string] $Parameters.address, 443).Wait(15000)) { return $answer }
        $answer.connection = 'made'
        $answer.problem = ''
        $judge = [Net.Security.RemoteCertificateValidationCallback] {
            param($From, $Certificate, $Chain, $Problems)
            if ([string] $Problems -ne 'None') { $answer.untrusted = [string] $Problems }
            $true
        }.GetNewClosure()
        $tls = New-Object System.Net.Security.SslStream -ArgumentList $client.GetStream(), $false, $judge
        $tls.AuthenticateAsClient([string] $Parameters.hostname, $null, $protocols, $false)
        $request = [Text.Encoding]::ASCII.GetBytes("GET /$($Parameters.path)/aps/ HTTP/1.1`r`nHost: $($Parameters.hostname)`r`nConnection: close`r`n`r`n")
        $tls.Write($request, 0, $request.Length)
        $buffer = [byte[]]::new(4096)
        $text = ''
        while (-not $text.Contains("`n")) {
            $read = $tls.Read($buffer, 0, $buffer.Length)
            if ($read -eq 0) { break }
            $text += [Text.Encoding]::ASCII.GetString($buffer, 0, $read)
        }
        if ($text -match '^HTTP/1\.\d (\d{3})') { $answer.status = [int] $Matches[1] } else { $answer.problem = 'no answer of HTTP' }
    } catch {
        $reason = $_.Exception.GetBaseException()
        if ($reason -is [Net.Sockets.SocketException] -and $reason.SocketErrorCode -eq 'ConnectionRefused') { $answer.connection = 'refused' }
        $answer.problem = [string] $reason.Message
    } finally {
        $client.Dispose()
    }
    $answer
}

$until = [DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds)
while ($true) {
    $answer = Get-Answer
    # A worker process that is still starting may fail at first.
    if (($answer.status -ge 1 -and $answer.status -lt 500) -or [DateTime]::UtcNow -ge $until) { break }
    Start-Sleep -Milliseconds 1000
}
$answer
