# Makes a genuine PowerShell the PowerShell of a simulated host: the Windows commands that Onward's scripts use act on the
# sandbox's host at ONWARD_SANDBOX_HOST. The files are real: copying, hashing and unpacking is PowerShell's own work.

$ErrorActionPreference = 'Stop'

# One Windows command, done by the sandbox.
function Invoke-Windows([string] $Command, [hashtable] $Parameters = @{}) {
    $body = [Text.Encoding]::UTF8.GetBytes(($Parameters | ConvertTo-Json -Compress))
    $uri = $env:ONWARD_SANDBOX_HOST + 'windows/' + [Uri]::EscapeDataString($Command)
    $outcome = Microsoft.PowerShell.Utility\Invoke-RestMethod -Method Post -Uri $uri -Body $body -ContentType 'application/json'
    if ($outcome.died) { Exit-Abruptly }
    if (-not $outcome.ok) { throw $outcome.message }
    foreach ($value in @($outcome.value)) { if ($null -ne $value) { $value } }
}

function Exit-Abruptly { Stop-Process -Id $PID -Force; Start-Sleep -Seconds 60 }

# Internet Information Services

function Get-Website { Invoke-Windows 'Get-Website' }
function Get-WebBinding([string] $Name, [string] $Protocol) {
    Invoke-Windows 'Get-WebBinding' @{ name = $Name } | Where-Object { $_.protocol -eq $Protocol }
}
function Get-WebApplication([string] $Site) { Invoke-Windows 'Get-WebApplication' @{ name = $Site } }
function Get-WebConfiguration([string] $PSPath, [string] $Filter) {
    if ($Filter -ne 'system.applicationHost/applicationPools/add') { throw "The simulated host has no configuration $Filter" }
    Invoke-Windows 'Get-ApplicationPools'
}
function Get-WebAppPoolState([string] $Name) { Invoke-Windows 'Get-WebAppPoolState' @{ name = $Name } }
function Stop-WebAppPool([string] $Name) { Invoke-Windows 'Stop-WebAppPool' @{ name = $Name } }
function Start-WebAppPool([string] $Name) { Invoke-Windows 'Start-WebAppPool' @{ name = $Name } }
function Get-WebConfigurationBackup { Invoke-Windows 'Get-WebConfigurationBackup' }
function Backup-WebConfiguration([string] $Name) { Invoke-Windows 'Backup-WebConfiguration' @{ name = $Name } }
function iisreset {
    $result = Invoke-Windows 'iisreset'
    $global:LASTEXITCODE = [int] $result.exitCode
    $result.output
}

# Windows

function whoami([string] $What) { Invoke-Windows "whoami $What" }
function Get-Service([string] $Name) { Invoke-Windows 'Get-Service' @{ name = $Name } }
function Get-CimInstance([string] $ClassName, [string] $Filter) {
    switch ($ClassName) {
        'Win32_Process' { Invoke-Windows $ClassName }
        'Win32_ComputerSystemProduct' { Invoke-Windows $ClassName }
        'Win32_ComputerSystem' { Invoke-Windows $ClassName }
        # As text, whatever this PowerShell makes of it: Windows gives a time.
        'Win32_OperatingSystem' { [pscustomobject] @{ LastBootUpTime = [DateTime] (Invoke-Windows $ClassName).LastBootUpTime } }
        default { throw "The simulated host has no class $ClassName" }
    }
}
# Who may do what with files: Windows keeps it where other systems have no place. Links are real.
function Get-Acl([string] $LiteralPath) {
    $access = [pscustomobject] @{ Sddl = (Invoke-Windows 'Get-Acl' @{ path = $LiteralPath }).sddl; Own = '' }
    $access | Add-Member -MemberType ScriptMethod -Name SetSecurityDescriptorSddlForm -Value { param($Sddl, $Sections) $this.Own = $Sddl }
    $access
}
function Set-Acl([string] $LiteralPath, $AclObject) { Invoke-Windows 'Set-Acl' @{ path = $LiteralPath; sddl = $AclObject.Own } }
function icacls.exe {
    $result = Invoke-Windows 'icacls.exe' @{ path = [string] $args[0]; arguments = @($args | Select-Object -Skip 1 | ForEach-Object { [string] $_ }) }
    $global:LASTEXITCODE = [int] $result.exitCode
}
function shutdown.exe {
    if ($args[0] -ne '/r' -or $args[1] -ne '/t') { throw "The simulated host knows no such command: shutdown.exe $args" }
    $result = Invoke-Windows 'shutdown.exe' @{ seconds = [int] $args[2] }
    $global:LASTEXITCODE = [int] $result.exitCode
    $result.output
}

# What is installed: features, and values of the registry.

function Get-WindowsFeature([string] $Name) { Invoke-Windows 'Get-WindowsFeature' @{ name = $Name } }
function Install-WindowsFeature([string] $Name) {
    $result = Invoke-Windows 'Install-WindowsFeature' @{ name = $Name }
    [pscustomobject] @{ Success = $true; RestartNeeded = if ($result.restartNeeded) { 'Yes' } else { 'No' } }
}
function Get-ItemProperty {
    param([Parameter(Position = 0)] [string] $LiteralPath, [Parameter(Position = 1)] [string] $Name)
    if ($LiteralPath -notlike 'HKLM:*') { return Microsoft.PowerShell.Management\Get-ItemProperty @PSBoundParameters }
    $value = (Invoke-Windows 'Get-ItemProperty' @{ key = $LiteralPath; name = $Name }).value
    if ($null -ne $value) { [pscustomobject] @{ $Name = $value } }
}
function New-Item {
    param([Parameter(Position = 0)] [string] $Path, [string] $ItemType, [switch] $Force)
    # A key of the registry is there once it has a value.
    if ($Path -notlike 'HKLM:*') { Microsoft.PowerShell.Management\New-Item @PSBoundParameters }
}
function Set-ItemProperty {
    param([Parameter(Position = 0)] [string] $LiteralPath, [Parameter(Position = 1)] [string] $Name, [Parameter(Position = 2)] $Value)
    if ($LiteralPath -notlike 'HKLM:*') { return Microsoft.PowerShell.Management\Set-ItemProperty @PSBoundParameters }
    Invoke-Windows 'Set-ItemProperty' @{ key = $LiteralPath; name = $Name; value = $Value }
}
function Start-Process {
    param([string] $FilePath, [string] $ArgumentList, [string] $WorkingDirectory, [string] $WindowStyle, [switch] $PassThru)
    if ($FilePath -ne 'cmd.exe') { throw "The simulated host has no program $FilePath" }
    $started = Invoke-Windows 'Start-Process' @{ arguments = $ArgumentList; directory = $WorkingDirectory }
    $process = [pscustomobject] @{ Id = [int] $started.id; Handle = 1; ExitCode = $null }
    $process | Add-Member -MemberType ScriptMethod -Name WaitForExit -Value {
        do { $state = Invoke-Windows 'Wait-Process' @{ id = $this.Id; milliseconds = 20000 } } until ($state.ended)
        $this.ExitCode = [int] $state.exitCode
    }
    $process
}

# The mark of files from the internet and the version of an assembly: Windows keeps them where other systems have no place.

function Get-Item {
    param([Parameter(Position = 0)] [string] $LiteralPath, [string] $Stream, [switch] $Force)
    if ($Stream) {
        if ([IO.File]::Exists("${LiteralPath}:$Stream")) { [pscustomobject] @{ FileName = $LiteralPath; Stream = $Stream } }
        return
    }
    $item = Microsoft.PowerShell.Management\Get-Item -LiteralPath $LiteralPath -Force:$Force
    if ($item -isnot [IO.FileInfo] -or $item.Extension -ne '.dll') { return $item }
    # What people read, and the numbers that Windows itself goes by: zeros where the compiler could not read it.
    $version = if ([IO.File]::ReadAllText($item.FullName) -match '(?m)^FileVersion=(.+)$') { $Matches[1].Trim() }
    $numbers = @(if ($version -match '^\d') { [regex]::Matches($version, '\d+') | ForEach-Object { [int] $_.Value } }) + 0, 0, 0, 0
    [pscustomobject] @{
        FullName = $item.FullName; Length = $item.Length; LastWriteTimeUtc = $item.LastWriteTimeUtc; Attributes = $item.Attributes
        VersionInfo = [pscustomobject] @{
            FileVersion = $version
            FileMajorPart = $numbers[0]; FileMinorPart = $numbers[1]; FileBuildPart = $numbers[2]; FilePrivatePart = $numbers[3]
        }
    }
}

# What others have open on the disks of applications: no other system keeps a file from whoever wants to read, move or delete it.

function Confirm-Free([string] $Path, [string] $Wish) {
    if ($Path -notmatch '[\\/]inetpub[\\/]') { return }
    $refusal = (Invoke-Windows 'Open-File' @{ path = $Path; wish = $Wish }).refusal
    if ($refusal) { throw [IO.IOException]::new($refusal) }
}
function Move-Item([string] $LiteralPath, [string] $Destination, [switch] $Force) {
    Confirm-Free $LiteralPath 'alone'
    Microsoft.PowerShell.Management\Move-Item @PSBoundParameters
}
function Remove-Item([string] $LiteralPath, [switch] $Recurse, [switch] $Force) {
    Confirm-Free $LiteralPath 'alone'
    Microsoft.PowerShell.Management\Remove-Item @PSBoundParameters
}
function Copy-Item([string] $LiteralPath, [string] $Destination, [switch] $Force) {
    # CopyFile lets nobody write to what it copies.
    Confirm-Free $LiteralPath 'alone'
    Microsoft.PowerShell.Management\Copy-Item @PSBoundParameters
}
function Unblock-File([string] $LiteralPath) { [IO.File]::Delete("${LiteralPath}:Zone.Identifier") }
function Set-Blocked([string] $LiteralPath) {
    [IO.File]::WriteAllText("${LiteralPath}:Zone.Identifier", "[ZoneTransfer]`r`nZoneId=3`r`n")
}
# A function of a script module, as in Windows PowerShell: it does not see the preference of whoever calls it, and goes on after an error.
# What unpacks a blocked archive hands its mark on, as Windows Explorer does.
function Expand-Archive {
    [CmdletBinding()] param([string] $LiteralPath, [string] $DestinationPath, [switch] $Force)
    if (-not $PSBoundParameters.ContainsKey('ErrorAction')) { $ErrorActionPreference = $global:ErrorActionPreference }
    Microsoft.PowerShell.Archive\Expand-Archive -LiteralPath $LiteralPath -DestinationPath $DestinationPath -Force:$Force
    $files = @(Get-ChildItem -LiteralPath $DestinationPath -Recurse -File)
    if ((Invoke-Windows 'Expand-Archive').half) {
        $files | Select-Object -Skip ([int] [Math]::Floor($files.Count / 2)) | ForEach-Object { [IO.File]::Delete($_.FullName) }
        Write-Error 'There is not enough space on the disk.'
        return
    }
    if ([IO.File]::Exists("${LiteralPath}:Zone.Identifier")) { $files | ForEach-Object { Set-Blocked $_.FullName } }
}
function Invoke-WebRequest([string] $Uri, [string] $OutFile, [switch] $UseBasicParsing, [int] $TimeoutSec) {
    Microsoft.PowerShell.Utility\Invoke-WebRequest -Uri $Uri -OutFile $OutFile -UseBasicParsing -TimeoutSec $TimeoutSec
    Set-Blocked $OutFile
}

# The network: addresses of the host itself answer, and names are known elsewhere.

function New-Client {
    $client = [pscustomobject] @{ Address = ''; ReceiveTimeout = 0; SendTimeout = 0 }
    $client | Add-Member -MemberType ScriptMethod -Name ConnectAsync -Value {
        param($Address, $Port)
        if (-not ($Address -as [Net.IPAddress])) { throw [Net.Sockets.SocketException]::new(11001) }
        $this.Address = $Address
        $connection = (Invoke-Windows 'connect' @{ address = $Address; port = $Port }).connection
        if ($connection -eq 'refused') { throw [Net.Sockets.SocketException]::new([int] [Net.Sockets.SocketError]::ConnectionRefused) }
        [pscustomobject] @{ Made = $connection -eq 'made' } | Add-Member -MemberType ScriptMethod -Name Wait -Value { param($Milliseconds) $this.Made } -PassThru
    }
    $client | Add-Member -MemberType ScriptMethod -Name GetStream -Value { $this }
    $client | Add-Member -MemberType ScriptMethod -Name Dispose -Value { }
    $client
}
function New-Tls($Client, $Judge) {
    $tls = [pscustomobject] @{ Client = $Client; Judge = $Judge; Name = ''; Answer = '' }
    $tls | Add-Member -MemberType ScriptMethod -Name AuthenticateAsClient -Value { param($Name) $this.Name = $Name }
    $tls | Add-Member -MemberType ScriptMethod -Name Write -Value {
        param($Bytes, $Offset, $Count)
        $text = [Text.Encoding]::ASCII.GetString($Bytes, $Offset, $Count)
        if ($text -notmatch '(?s)^GET /([^/]+)/aps/ HTTP/1\.1\r\nHost: (\S+)\r\n.*\r\n\r\n$' -or $Matches[2] -ne $this.Name) { throw "The simulated host does not know this request: $text" }
        $said = Invoke-Windows 'answer' @{ address = $this.Client.Address; hostname = $this.Name; path = $Matches[1] }
        if ($said.untrusted) { $null = $this.Judge.Invoke($this, $null, $null, [Net.Security.SslPolicyErrors] $said.untrusted) }
        $this.Answer = "HTTP/1.1 $($said.status) As the host says`r`n`r`n"
    }
    $tls | Add-Member -MemberType ScriptMethod -Name Read -Value {
        param($Buffer, $Offset, $Count)
        $bytes = [Text.Encoding]::ASCII.GetBytes($this.Answer)
        [Array]::Copy($bytes, 0, $Buffer, $Offset, $bytes.Length)
        $this.Answer = ''
        $bytes.Length
    }
    $tls
}

# Accounts, by whatever names them.

function New-Account([string] $Name) {
    $account = [pscustomobject] @{ Value = $Name }
    $account | Add-Member -MemberType ScriptMethod -Name ToString -Value { $this.Value } -Force
    $account | Add-Member -MemberType ScriptMethod -Name Translate -Value {
        $known = (Invoke-Windows 'account' @{ name = $this.Value }).known
        if (-not $known) { throw 'Some or all identity references could not be translated.' }
        New-Account $known
    }
    $account
}

# Objects of .NET that reach out of the process

function New-Object {
    param([Parameter(Position = 0)] [string] $TypeName, [Parameter(Position = 1)] [object[]] $ArgumentList)
    if ($TypeName -eq 'System.Net.Sockets.TcpClient') { return New-Client }
    if ($TypeName -eq 'System.Net.Security.SslStream') { return New-Tls $ArgumentList[0] $ArgumentList[2] }
    if ($TypeName -eq 'System.IO.FileStream') {
        $beside = [int] $ArgumentList[3] -band [int] [IO.FileShare]::Write
        Confirm-Free ([string] $ArgumentList[0]) $(if ($beside) { 'read' } else { 'alone' })
    }
    if ($TypeName -match '^System\.Security\.Principal\.') { return New-Account ([string]::Join('\', $ArgumentList)) }
    if ($TypeName -eq 'System.IO.DriveInfo') { return Invoke-Windows 'DriveInfo' }
    # Names of the kernel are each machine's own: hosts of other sandboxes, with the same names, work beside this one.
    if ($TypeName -eq 'System.Threading.Mutex') {
        $disk = [Security.Cryptography.SHA256]::Create().ComputeHash([Text.Encoding]::UTF8.GetBytes($env:ProgramData))
        $ArgumentList[1] += '-' + [Convert]::ToHexString($disk).Substring(0, 16)
    }
    if ($TypeName -ne 'System.Data.SqlClient.SqlConnection') { return Microsoft.PowerShell.Utility\New-Object @PSBoundParameters }
    $parts = Microsoft.PowerShell.Utility\New-Object System.Data.Common.DbConnectionStringBuilder
    $parts.set_ConnectionString([string] $ArgumentList[0])
    $connection = [pscustomobject] @{ DataSource = [string] $parts['Data Source']; User = [string] $parts['User ID'] }
    $connection | Add-Member -MemberType ScriptMethod -Name Open -Value { }
    $connection | Add-Member -MemberType ScriptMethod -Name Dispose -Value { }
    $connection | Add-Member -MemberType ScriptMethod -Name CreateCommand -Value {
        $logins = Microsoft.PowerShell.Utility\New-Object 'System.Collections.Generic.Dictionary[string,string]'
        $parameters = [pscustomobject] @{ Logins = $logins }
        $parameters | Add-Member -MemberType ScriptMethod -Name AddWithValue -Value { param($Name, $Value) $this.Logins[$Name] = $Value }
        $command = [pscustomobject] @{ Connection = $this; CommandTimeout = 30; CommandText = ''; Parameters = $parameters }
        $command | Add-Member -MemberType ScriptMethod -Name ExecuteScalar -Value {
            $login = if ($this.CommandText -match '@login') { $this.Parameters.Logins['@login'] } else { $this.Connection.User }
            $answer = (Invoke-Windows 'sysadmin' @{ dataSource = $this.Connection.DataSource; login = $login }).value
            if ($null -eq $answer) { [DBNull]::Value } else { $answer }
        }
        $command
    }
    $connection
}

# Introduces this PowerShell to the sandbox, and acts out the fault that is ordered for it.
$begin = $env:ONWARD_SANDBOX_HOST + "scripts/$env:ONWARD_SCRIPT/begin"
$order = Microsoft.PowerShell.Utility\Invoke-RestMethod -Method Post -Uri $begin -Body '{}' -ContentType 'application/json'
$env:COMPUTERNAME = $order.computerName
$env:USERDOMAIN = 'SANDBOX'
$env:ProgramData = $order.programData
switch ($order.act) {
    'hang' { while ($true) { Start-Sleep -Seconds 60 } }
    'exitsSilently' { [Environment]::Exit(0) }
    'diesBySignal' { Exit-Abruptly }
    'stderrNoise' { [Console]::Error.WriteLine('WARNING: this text on standard error is harmless.') }
    'floodsOutput' { $noise = 'noise ' * 170; for ($line = 0; $line -lt 10240; $line++) { [Console]::Out.WriteLine($noise) } }
    'wrongEncoding' {
        $bytes = [Text.Encoding]::Unicode.GetBytes("P`u{159}`u{ed}li`u{161} `u{17e}lu`u{165}ou`u{10d}k`u{fd} k`u{16f}`u{148}`r`n") + [byte[]] (0x80, 0xff, 0xfe, 0x0a)
        $stream = [Console]::OpenStandardOutput()
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.Flush()
    }
    'slow' { Start-Sleep -Milliseconds $order.delayMs }
    'fault' { throw 'Access is denied.' }
    # Its own modules are not where it looks for them.
    'foreignModules' { 'Get-Acl', 'Set-Acl' | ForEach-Object { Microsoft.PowerShell.Management\Remove-Item "function:$_" } }
    # The envelope goes nowhere.
    'effectThenNoAnswer' { [Console]::SetOut([IO.TextWriter]::Null) }
}

Export-ModuleMember -Function '*-*', 'iisreset', 'icacls.exe', 'shutdown.exe', 'whoami'
