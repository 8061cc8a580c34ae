# What the host serves: sites, bindings, applications and their databases; whether this session may change it.
param($Parameters)

# A PowerShell that looks for its modules in another one's folders finds none of these.
$missing = @('Expand-Archive', 'Unblock-File', 'Invoke-WebRequest', 'Get-CimInstance', 'Get-Acl', 'Set-Acl' |
        Where-Object { -not (Get-Command -Name $_ -ErrorAction SilentlyContinue) })
if ($missing.Count -gt 0) { Fail 'UnexpectedState' "PowerShell $($PSVersionTable.PSVersion) knows no $([string]::Join(', ', $missing)); its PSModulePath is $env:PSModulePath" }

# Ask SQL Server whether a login has the role sysadmin: 1, 0, or $null when it does not say.
function Get-SysadminAnswer([string] $ConnectionString, [string] $Login, [bool] $Self) {
    $connection = New-Object System.Data.SqlClient.SqlConnection($ConnectionString)
    try {
        $connection.Open()
        $command = $connection.CreateCommand()
        $command.CommandTimeout = 15
        # The login of the connection may ask for itself; any other is visible to an administrator only (systems.md 4.4).
        if ($Self) {
            $command.CommandText = "SELECT IS_SRVROLEMEMBER('sysadmin')"
        } else {
            $command.CommandText = "SELECT IS_SRVROLEMEMBER('sysadmin', @login)"
            $null = $command.Parameters.AddWithValue('@login', $Login)
        }
        $answer = $command.ExecuteScalar()
        if ($null -ne $answer -and $answer -isnot [DBNull]) { [int] $answer }
    } catch {
        # 'Cannot verify' is an answer of its own; the message may hold the connection string.
        Add-Log "SQL Server did not answer for the login ${Login}: $($_.Exception.GetType().Name)"
    } finally {
        $connection.Dispose()
    }
}

# An account as this Windows and its SQL Server call it: names of well-known ones differ with the language. Empty where nobody knows it.
function Get-AccountName($Account) {
    try {
        [string] $Account.Translate([Security.Principal.SecurityIdentifier]).Translate([Security.Principal.NTAccount]).Value
    } catch {
        Add-Log "Windows knows no account ${Account}: $($_.Exception.GetBaseException().Message)"
        ''
    }
}

# What this computer is to others. The worker's own domain does not tell: that of a local administrator is the computer itself.
function Get-MachineAccount {
    $domain = [string] (Get-CimInstance -ClassName Win32_ComputerSystem).Domain
    Get-AccountName (New-Object System.Security.Principal.NTAccount -ArgumentList $domain, "$env:COMPUTERNAME`$")
}

# Who the application is to SQL Server where its connection string names no login; empty where that cannot be told.
function Get-PoolIdentity([string] $Pool, [bool] $Local) {
    $model = @(Get-WebConfiguration -PSPath 'MACHINE/WEBROOT/APPHOST' -Filter 'system.applicationHost/applicationPools/add' |
            Where-Object { $_.name -eq $Pool })[0].processModel
    $wellKnown = @{ LocalSystem = 'S-1-5-18'; LocalService = 'S-1-5-19'; NetworkService = 'S-1-5-20' }[[string] $model.identityType]
    if ([string] $model.identityType -eq 'SpecificUser') {
        # '.\gateway' and 'gateway@contoso.local' are nobody's login.
        $name = Get-AccountName (New-Object System.Security.Principal.NTAccount -ArgumentList ([string] $model.userName))
        if ($name) { $name } else { [string] $model.userName }
    } elseif ($Local -and $wellKnown) {
        Get-AccountName (New-Object System.Security.Principal.SecurityIdentifier -ArgumentList $wellKnown)
    } elseif ($Local) {
        "IIS APPPOOL\$Pool"
    } elseif ($wellKnown -eq 'S-1-5-19') {
        # Beyond the computer it is nobody.
        ''
    } else {
        Get-MachineAccount
    }
}

# Every connection string that the configuration of an application has, wherever in web.config, in a file that this names, or in the
# settings.config of older versions; 'problem' instead where there is one that cannot be read. Assumption: systems.md 4.1.
function Get-ConnectionStrings([string] $Folder) {
    foreach ($file in @(Get-ChildItem -LiteralPath $Folder -File -Force | Where-Object { 'web.config', 'settings.config' -contains $_.Name })) {
        try {
            $config = Read-Xml $file.FullName
            if ($file.Name -eq 'settings.config') {
                $config.SelectNodes('//@*') | Where-Object { $_.Value -match '(^|;)\s*(data source|server)\s*=' } | ForEach-Object { @{ text = $_.Value } }
                continue
            }
            foreach ($section in @($config.SelectNodes("//*[local-name()='connectionStrings']"))) {
                $source = $section.GetAttribute('configSource')
                if ($source) { $section = (Read-Xml (Join-Path $Folder $source)).DocumentElement }
                if ($section.GetAttribute('configProtectionProvider')) { @{ problem = 'encrypted connection string' } }
                $section.SelectNodes("*[local-name()='add']/@connectionString") | ForEach-Object { @{ text = $_.Value } }
            }
        } catch {
            # What XML complains of may quote a connection string.
            @{ problem = "configuration that cannot be read, $($file.Name): $($_.Exception.GetBaseException().GetType().Name)" }
        }
    }
}

# The databases that an application is connected to. No connection string ever leaves this script.
function Get-Databases($Application) {
    if (-not (Test-Path -LiteralPath $Application.physicalPath -PathType Container)) { return }
    foreach ($found in @(Get-ConnectionStrings $Application.physicalPath)) {
        if ($found.problem) { @{ dataSource = "($($found.problem))"; login = ''; sysadmin = $null }; continue }
        $parts = New-Object System.Data.Common.DbConnectionStringBuilder
        $value = { param([string[]] $Names) $Names | Where-Object { $parts.ContainsKey($_) } | ForEach-Object { [string] $parts[$_] } | Select-Object -First 1 }
        try {
            $text = $found.text
            $parts.set_ConnectionString($text)
            # Entity Framework: the connection string is one of the parts of what is called so.
            $inner = & $value 'provider connection string'
            if ($inner) { $text = $inner; $parts.set_ConnectionString($text) }
        } catch {
            @{ dataSource = '(connection string that cannot be read)'; login = ''; sysadmin = $null }
            continue
        }
        $dataSource = & $value 'Data Source', 'Server', 'Address', 'Addr', 'Network Address'
        if (-not $dataSource) { continue }
        $local = $dataSource -match '^(np:|tcp:|lpc:)?(\.|\(local\)|localhost|' + [regex]::Escape([string] $env:COMPUTERNAME) + ')([\\,]|$)'
        # A login beside integrated security is not used.
        $integrated = (& $value 'Integrated Security', 'Trusted_Connection') -match '^\s*(true|yes|sspi)\s*$'
        $user = if (-not $integrated) { & $value 'User ID', 'UID', 'User' }
        $login = if ($user) { $user } else { [string] (Get-PoolIdentity $Application.pool $local) }
        $sysadmin = $null
        if ($login -and $dataSource -notmatch '^\(localdb\)\\') { $sysadmin = Get-SysadminAnswer $text $login ([bool] $user) }
        @{ dataSource = $dataSource; login = $login; sysadmin = $sysadmin }
    }
}

# The integrity levels 'high' and 'system', by their identifiers: names differ with Windows' language.
$groups = (@(whoami /groups) -join "`n")

@{
    identity = Get-Identity
    elevated = $groups -match 'S-1-16-(12288|16384)\b'
    # What is not there yet will be made as it has to be.
    exposed  = @(@($dataDirectory, $Parameters.workDirectory, $Parameters.settings) | Where-Object { $_ -and (Test-Path -LiteralPath $_) } |
            ForEach-Object { Get-Exposure $_ } | Select-Object -Unique)
    sites    = @(Get-Sites | ForEach-Object {
            foreach ($application in $_.applications) {
                $application.databases = @(Get-Databases $application)
                $deployed = Get-Deployed $application.physicalPath
                $application.assemblies = $deployed.assemblies
                $application.webConfigVersion = $deployed.webConfigVersion
            }
            $_
        })
}
